#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <sys/stat.h>

using namespace credlease;
using namespace credlease::tests;
namespace fs = std::filesystem;

namespace {

constexpr auto token = "tok_5d0c7b1f9e3a2468";
constexpr auto passphrase = R"({"passphrase":"correct horse battery"})";

std::string head_in(const fs::path& folder) {
    return "[audit]\nhead_file = \"" + (folder / "audit.head").native() + "\"\n";
}

void is_refused(Daemon& daemon, const std::string& sentence) {
    const auto said = daemon.log().size();
    BOOST_TEST(!daemon.start());
    BOOST_TEST(daemon.log().find(sentence, said) != std::string::npos, daemon.log().substr(said));
}

void serves(Daemon& daemon) {
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    BOOST_TEST(client.lease({.credential = store_token(client, "first", token)}).ok());
}

} // namespace

BOOST_AUTO_TEST_SUITE(first_start)

BOOST_AUTO_TEST_CASE(without_a_folder_for_the_audit_head_nothing_is_written_and_with_it_the_same_start_serves) {
    Daemon daemon;
    const auto folder = daemon.root() / "heads";
    daemon.write_config(head_in(folder));
    is_refused(daemon, "The folder of the audit head does not exist.");
    BOOST_TEST(daemon.log().contains(folder.native() + ": No such file"));
    BOOST_TEST(fs::is_empty(daemon.data()));
    BOOST_TEST(!fs::exists(daemon.config_folder() / "root.key"));
    fs::create_directory(folder);
    BOOST_REQUIRE(::chmod(folder.c_str(), 0500) == 0);
    if (::geteuid() == 0) BOOST_REQUIRE(::chown(folder.c_str(), 65534, 65534) == 0);
    is_refused(daemon, "The folder of the audit head can't be written to.");
    BOOST_REQUIRE(::chown(folder.c_str(), ::geteuid(), ::getegid()) == 0 && ::chmod(folder.c_str(), 0700) == 0);
    serves(daemon);
}

BOOST_AUTO_TEST_CASE(a_start_that_failed_while_it_wrote_is_begun_again_with_whatever_key_or_method) {
    Daemon daemon;
    // The head is made under another name first: a folder there refuses it when all else is written.
    const auto in_its_way = daemon.config_folder() / "audit.head.new";
    fs::create_directory(in_its_way);
    is_refused(daemon, "The audit head's file can't be used.");
    is_refused(daemon, "The audit head's file can't be used.");
    fs::remove(daemon.config_folder() / "root.key");
    fs::remove(in_its_way);
    daemon.write_config("[seal]\nmethod = \"passphrase\"\n");
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    BOOST_TEST(ask(client, "POST", "/v1/unseal", passphrase).status == 200U);
}

BOOST_AUTO_TEST_CASE(a_start_that_was_killed_before_there_was_a_head_is_gone_on_with) {
    Daemon daemon;
    serves(daemon);
    daemon.kill9();
    // As it is behind the first segment's header: nothing is stored, and no head names anything.
    fs::path segment;
    for (const auto& entry : fs::directory_iterator(daemon.data() / "journal")) {
        if (entry.path().extension() == ".log") segment = entry.path();
    }
    fs::resize_file(segment, 128);
    fs::remove(daemon.config_folder() / "audit.head");
    is_refused(daemon, "The audit head is missing"); // since something is stored
    fs::remove_all(daemon.data() / "store");
    serves(daemon);
}

BOOST_AUTO_TEST_CASE(a_new_store_does_not_take_another_stores_audit_head) {
    Daemon first;
    serves(first);
    const auto head = first.config_folder() / "audit.head";
    Daemon second({.config = "[seal]\nkey_file = \"" + (first.config_folder() / "root.key").native() + "\"\n"});
    is_refused(second, "The audit head belongs to another store: this one is new.");
    BOOST_TEST(second.log().contains("about=" + head.native() + " "));
    BOOST_TEST(second.log().contains("a key_file and a head_file of its own in a --config"));
    BOOST_TEST(fs::is_empty(second.data()));
    BOOST_TEST(first.stop().value_or(-1) == 0);
    BOOST_TEST(first.start()); // its head is as it was
    second.write_config("[seal]\nkey_file = \"" + (second.root() / "own/root.key").native() + "\"\n");
    serves(second);
}

BOOST_AUTO_TEST_CASE(an_unseal_that_failed_before_the_store_was_set_leaves_it_unset_for_any_passphrase) {
    Daemon daemon({.config = "[seal]\nmethod = \"passphrase\"\n"});
    const auto in_its_way = daemon.config_folder() / "audit.head.new";
    fs::create_directory(in_its_way);
    for (int i = 0; i < 2; ++i) {
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
        auto client = client_of(daemon);
        BOOST_TEST(ask(client, "POST", "/v1/unseal", R"({"passphrase":"mistyped"})").code == "internal");
        BOOST_TEST(ask(client, "GET", "/v1/status").json.at("root_key").as_string() == "unset");
        BOOST_TEST(!fs::exists(daemon.data() / "seal"));
        if (i == 0) BOOST_TEST(daemon.stop().value_or(-1) == 0);
    }
    fs::remove(in_its_way);
    auto client = client_of(daemon);
    BOOST_TEST(ask(client, "POST", "/v1/unseal", passphrase).status == 200U);
    (void)store_token(client, "first", token);
    BOOST_TEST(daemon.stop().value_or(-1) == 0);
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    BOOST_TEST(ask(client, "POST", "/v1/unseal", passphrase).status == 200U);
    BOOST_TEST(client.lease({.credential = "first"}).ok());
}

BOOST_AUTO_TEST_SUITE_END()
