#define BOOST_TEST_DYN_LINK
#include "promises/files_of.hpp"
#include "support/daemon/broker_client.hpp"

#include <boost/test/unit_test.hpp>

#include <cstring>

using namespace credlease;
using namespace credlease::tests;
namespace fs = std::filesystem;

namespace {

/// A broker whose log holds some leases.
struct Logged {
    Daemon daemon;

    Logged() {
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
        auto client = client_of(daemon);
        (void)store_token(client, "wanted", "tok_wanted_12345678");
        for (int i = 0; i < 10; ++i) BOOST_REQUIRE(client.lease({.credential = "wanted"}).ok());
    }

    [[nodiscard]] fs::path log() const {
        for (const auto& entry : fs::directory_iterator(daemon.data() / "journal")) {
            if (entry.path().extension() == ".log") return entry.path();
        }
        return {};
    }
    /// Where the record's frame begins: 128 bytes of header, then length, record and MAC, one after the other.
    [[nodiscard]] std::streamoff offset_of(std::uint64_t seq) const {
        std::ifstream in(log(), std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(in), {}};
        std::size_t at = 128;
        for (std::uint64_t i = 1; i < seq; ++i) {
            std::uint32_t length = 0;
            std::memcpy(&length, bytes.data() + at, sizeof length);
            at += sizeof length + length + 16;
        }
        return static_cast<std::streamoff>(at);
    }
    [[nodiscard]] boost::json::value verify() const {
        auto client = client_of(daemon);
        return ask(client, "GET", "/v1/audit/verify").json;
    }
    /// The command's exit status, and in `said` what it printed.
    int verify_by_command(std::string& said) const {
        const auto out = daemon.root() / "verified";
        const auto command = command_program() + " --socket " + daemon.admin_socket().native() + " audit verify >" +
                             out.native() + " 2>&1";
        const int status = std::system(command.c_str());
        std::ifstream in(out);
        said = {std::istreambuf_iterator<char>(in), {}};
        return WEXITSTATUS(status);
    }
    void is_refused(const std::string& sentence) {
        const auto data = files_of(daemon.data() / "journal");
        const auto config = files_of(daemon.config_folder());
        const auto before = daemon.log().size();
        BOOST_TEST(!daemon.start());
        BOOST_TEST(daemon.log().find(sentence, before) != std::string::npos, daemon.log().substr(before));
        BOOST_TEST((files_of(daemon.data() / "journal") == data));
        BOOST_TEST((files_of(daemon.config_folder()) == config));
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(audit_log, Logged)

BOOST_AUTO_TEST_CASE(verify_names_the_first_bad_sequence_number) {
    std::string said;
    BOOST_TEST(verify().at("ok").as_bool());
    BOOST_TEST(verify_by_command(said) == 0);
    for (const std::uint64_t seq : {9U, 4U}) { // the first is named, whatever is bad behind it
        flip(log(), offset_of(seq) + 20);
        const auto verdict = verify();
        BOOST_TEST(!verdict.at("ok").as_bool());
        BOOST_TEST(verdict.at("first_bad").to_number<std::uint64_t>() == seq);
        BOOST_TEST(verify_by_command(said) == 1);
        BOOST_TEST(said.contains(std::to_string(seq)), said);
    }
}

BOOST_AUTO_TEST_CASE(a_flipped_record_below_the_head_refuses_to_start_and_is_named) {
    BOOST_REQUIRE(daemon.stop().value_or(-1) == 0);
    const auto at = offset_of(5) + 20;
    flip(log(), at);
    is_refused("record 5 in ");
    flip(log(), at);
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    BOOST_TEST(verify().at("ok").as_bool());
}

BOOST_AUTO_TEST_CASE(a_log_that_ends_before_its_head_refuses_to_start) {
    BOOST_REQUIRE(daemon.stop().value_or(-1) == 0);
    fs::resize_file(log(), static_cast<std::uintmax_t>(offset_of(6)));
    is_refused("is missing");
}

BOOST_AUTO_TEST_CASE(a_flipped_or_missing_head_refuses_to_start) {
    BOOST_REQUIRE(daemon.stop().value_or(-1) == 0);
    const auto head = daemon.config_folder() / "audit.head";
    const auto size = static_cast<std::streamoff>(fs::file_size(head));
    const auto flip_both_copies = [&] { // one stands at its beginning, the other at its end
        flip(head, 60);
        flip(head, size - 60);
    };
    flip_both_copies();
    is_refused("The audit head is damaged");
    flip_both_copies();
    const auto aside = daemon.root() / "aside";
    fs::rename(head, aside);
    is_refused("The audit head is missing");
    fs::rename(aside, head);
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    BOOST_TEST(verify().at("ok").as_bool());
}

BOOST_AUTO_TEST_SUITE_END()
