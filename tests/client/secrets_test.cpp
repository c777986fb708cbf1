#define BOOST_TEST_DYN_LINK
#include "credlease/client.hpp"
#include "stand_in.hpp"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <fstream>
#include <sys/mman.h>
#include <unistd.h>

using namespace credlease;
using namespace std::chrono_literals;
using test::StandIn;
using test::TemporaryDirectory;

namespace {

struct Fixture {
    TemporaryDirectory directory;
    std::filesystem::path socket = directory.path() / "admin.sock";

    [[nodiscard]] Client client() const {
        return Client(Options{.lease_socket = socket, .admin_socket = socket, .grant_from_environment = false});
    }
    /// A file's descriptor at its beginning.
    [[nodiscard]] int file_of(const std::string& text) const {
        const auto path = directory.path() / "text";
        std::ofstream(path) << text;
        return open(path.c_str(), O_RDONLY | O_CLOEXEC);
    }
};

SecretText secret(std::string_view text) { return std::move(SecretText::copy_of(text)).value(); }

std::string shown(const SecretText& text) {
    return text.expose([](std::string_view view) { return std::string(view); });
}

/// Whether the memory at `address` would be in a core dump, by its flags in /proc/self/smaps.
bool is_dumped(const void* address) {
    std::ifstream maps("/proc/self/smaps");
    const auto wanted = reinterpret_cast<std::uintptr_t>(address);
    bool is_here = false;
    for (std::string line; std::getline(maps, line);) {
        std::uintptr_t begin = 0;
        std::uintptr_t end = 0;
        if (std::sscanf(line.c_str(), "%lx-%lx", &begin, &end) == 2) is_here = begin <= wanted && wanted < end;
        if (is_here && line.starts_with("VmFlags:")) return !line.contains(" dd");
    }
    return true;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(secrets, Fixture)

BOOST_AUTO_TEST_CASE(a_secret_text_lies_in_memory_that_is_not_dumped_and_is_wiped) {
    const char* where = nullptr;
    {
        const SecretText text = secret("a secret of some length");
        BOOST_TEST(shown(text) == "a secret of some length");
        text.expose([&](std::string_view view) { where = view.data(); });
        BOOST_TEST(!is_dumped(where));
    }
    BOOST_TEST(std::string_view(where, 23) == std::string_view(std::string(23, '\0')));
}

BOOST_AUTO_TEST_CASE(a_secret_text_that_was_moved_away_is_empty) {
    SecretText one = secret("one");
    SecretText two = secret("two");
    two = std::move(one);
    BOOST_TEST(shown(two) == "one");
    BOOST_TEST(one.empty()); // NOLINT(bugprone-use-after-move): that is what is asked
    BOOST_TEST(SecretText().size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_secret_is_read_from_a_descriptor_whole_or_by_the_line) {
    BOOST_TEST(shown(*SecretText::read_from(file_of("two\nlines\n"))) == "two\nlines\n");
    const int lines = file_of("first\r\nsecond\nthird");
    BOOST_TEST(shown(*SecretText::read_line(lines)) == "first");
    BOOST_TEST(shown(*SecretText::read_line(lines)) == "second");
    BOOST_TEST(shown(*SecretText::read_line(lines)) == "third");
    BOOST_TEST(SecretText::read_line(lines)->empty());
    auto cut = SecretText::read_from(file_of("token\n"));
    cut->cut_newline();
    BOOST_TEST(shown(*cut) == "token");
    BOOST_TEST(shown(*SecretText::read_from(file_of(std::string(65536, 'x')))) == std::string(65536, 'x'));
    BOOST_TEST(!SecretText::read_from(file_of(std::string(65537, 'x'))).ok());
    BOOST_TEST(!SecretText::read_from(-1).ok());
}

BOOST_AUTO_TEST_CASE(fields_are_sent_escaped_and_typed) {
    const StandIn broker(socket, [](const StandIn::Request&) { return StandIn::Response{.status = 201}; });
    std::vector<Client::FieldValue> fields;
    fields.push_back({.name = "token", .value = secret("a\"b\\c\nd\x01"), .is_json = false});
    fields.push_back({.name = "port", .value = "5432", .is_json = true});
    fields.push_back({.name = "headers", .value = secret(R"({"X-Key":"v"})"), .is_json = true});
    fields.push_back({.name = "host", .value = "db.example", .is_json = false});
    const auto answer = client().send_fields({.method = "POST", .path = "/v1/credentials"},
                                             R"("service":"x","name":"y")", std::move(fields));
    BOOST_REQUIRE(answer.ok());
    BOOST_TEST(broker.seen().at(0).body ==
               R"({"service":"x","name":"y","fields":{"token":"a\"b\\c\nd\u0001","port":5432,)"
               R"("headers":{"X-Key":"v"},"host":"db.example"}})");
}

BOOST_AUTO_TEST_CASE(a_value_that_says_it_is_json_and_is_not_is_named_and_not_sent) {
    const StandIn broker(socket, [](const StandIn::Request&) { return StandIn::Response{}; });
    for (const char* wrong : {R"({"a":1},"admin":true)", "", "{", "1 2"}) {
        std::vector<Client::FieldValue> fields;
        fields.push_back({.name = "headers", .value = secret(wrong), .is_json = true});
        const auto answer = client().send_fields({.method = "POST", .path = "/v1/credentials"}, "", std::move(fields));
        BOOST_REQUIRE(!answer.ok());
        BOOST_TEST(answer.error().field == "headers");
    }
    BOOST_TEST(broker.seen().empty());
}

BOOST_AUTO_TEST_CASE(a_long_secret_is_sent_whole_and_one_that_is_too_long_is_refused) {
    const StandIn broker(socket, [](const StandIn::Request&) { return StandIn::Response{}; });
    const std::string key(60'000, '\n'); // doubles when escaped
    std::vector<Client::FieldValue> fields;
    fields.push_back({.name = "key", .value = secret(key), .is_json = false});
    const auto sent = client().send_fields({.method = "POST", .path = "/v1/x"}, "", std::move(fields));
    BOOST_REQUIRE_MESSAGE(sent.ok(), (sent.ok() ? std::string() : sent.error().sentence));
    BOOST_TEST(broker.seen().at(0).body.size() == 2 * key.size() + std::string_view(R"({"fields":{"key":""}})").size());
    std::vector<Client::FieldValue> many;
    for (const char* name : {"a", "b", "c"}) many.push_back({.name = name, .value = secret(key), .is_json = false});
    BOOST_TEST(client().send_fields({.method = "POST", .path = "/v1/x"}, "", std::move(many)).error().code ==
               "invalid_request");
}

BOOST_AUTO_TEST_CASE(a_passphrase_is_sent_as_one_member) {
    const StandIn broker(socket, [](const StandIn::Request&) { return StandIn::Response{}; });
    BOOST_REQUIRE(
        client().send_secret({.method = "POST", .path = "/v1/unseal"}, "passphrase", secret("open \"x\"")).ok());
    BOOST_TEST(broker.seen().at(0).body == R"({"passphrase":"open \"x\""})");
}

BOOST_AUTO_TEST_CASE(a_secret_member_goes_beside_what_may_be_seen) {
    const StandIn broker(socket, [](const StandIn::Request&) { return StandIn::Response{}; });
    for (const auto* others : {R"({"client_id":"a}b","fields":{}})", "{}", ""}) {
        const auto sent =
            client().send_secret({.method = "PUT", .path = "/v1/x", .json = others}, "client_secret", secret("s"));
        BOOST_REQUIRE(sent.ok());
    }
    BOOST_TEST(broker.seen().at(0).body == R"({"client_id":"a}b","fields":{},"client_secret":"s"})");
    BOOST_TEST(broker.seen().at(1).body == R"({"client_secret":"s"})");
    BOOST_TEST(broker.seen().at(2).body == R"({"client_secret":"s"})");
}

BOOST_AUTO_TEST_CASE(a_minted_token_comes_apart_from_the_rest_of_its_answer) {
    const StandIn broker(socket, [](const StandIn::Request&) {
        return StandIn::Response{.status = 201, .body = R"({"grant":"clg_token","id":"grant_1","expires_at":"t"})"};
    });
    const auto minted = client().send_for_secret({.method = "POST", .path = "/v1/grants", .json = "{}"}, "grant");
    BOOST_REQUIRE(minted.ok());
    BOOST_TEST(shown(minted->second) == "clg_token");
    BOOST_TEST(minted->first.json == R"({"id":"grant_1","expires_at":"t"})");
    BOOST_TEST(minted->first.status == 201U);
    const auto lacking = client().send_for_secret({.method = "POST", .path = "/v1/grants", .json = "{}"}, "token");
    BOOST_TEST(!lacking.ok());
}

BOOST_AUTO_TEST_CASE(many_secrets_find_room) {
    std::vector<SecretText> texts;
    for (int i = 0; i < 2000; ++i) texts.push_back(secret(std::string(1000, static_cast<char>('a' + i % 26))));
    BOOST_TEST(shown(texts.at(1999)) == std::string(1000, static_cast<char>('a' + 1999 % 26)));
}

BOOST_AUTO_TEST_SUITE_END()
