#define BOOST_TEST_DYN_LINK
#include "folder.hpp"

#include <boost/test/unit_test.hpp>

#include <pwd.h>
#include <unistd.h>

namespace credlease::settings {
namespace {

using namespace std::chrono_literals;

std::uint32_t uid_of(const char* user) { return ::getpwnam(user)->pw_uid; }

} // namespace

BOOST_FIXTURE_TEST_SUITE(section_promises, Folder)

BOOST_AUTO_TEST_CASE(every_key_of_the_tables_is_read) {
    const auto settings = read(R"(
[sockets]
lease_mode = "0666"
lease_group = "root"
admin_mode = "0640"
admin_group = 4711
[seal]
method = "passphrase"
key_file = "/keys/root.key"
[memory]
arena = "mlock"
size = "512KiB"
[access]
operators = ["root", 4712, "4713"]
users = { nobody = "user:local/alice", 4714 = "user:local/bob" }
[leases]
default_ttl = "5m"
max_ttl = "30m"
max_total = "12h"
per_principal = 10
[audit]
durability = "disk"
head_file = "/heads/head"
keep = "30d"
max_size = "10GiB"
[limits]
connections_per_uid = 5
requests_per_second = 100
listeners_per_uid = 6
[catalog]
dir = "/services"
[rotation]
every = "7d"
keep_versions = 3
[outbound]
timeout = "5s"
ca_file = "/ca.pem"
allow_private = true
allowed_hosts = ["internal.example.org", "10.0.0.1"]
callback = "[::1]:8000"
public_url = "https://broker.example.org"
redirect_uris = ["https://engine.example.org/oauth", "http://localhost:3000/cb", "http://127.0.0.1:9/cb"]
[store]
engine = "rocksdb"
[log]
level = "warning"
format = "json"
)");
    BOOST_REQUIRE(settings.has_value());
    BOOST_TEST(settings->sockets.lease_mode == 0666U);
    BOOST_TEST((settings->sockets.lease_group == std::optional<std::uint32_t>(0)));
    BOOST_TEST(settings->sockets.admin_mode == 0640U);
    BOOST_TEST((settings->sockets.admin_group == std::optional<std::uint32_t>(4711)));
    BOOST_TEST((settings->seal.method == SealMethod::passphrase));
    BOOST_TEST((settings->seal.key_file == "/keys/root.key"));
    BOOST_TEST((settings->memory.arena == ArenaChoice::mlock));
    BOOST_TEST(settings->memory.size == 524288U);
    BOOST_TEST((settings->access.operators == std::vector<std::uint32_t>{0, 4712, 4713}));
    BOOST_TEST(settings->access.users.at(uid_of("nobody")).text() == "user:local/alice");
    BOOST_TEST(settings->access.users.at(4714).text() == "user:local/bob");
    BOOST_TEST((settings->leases.default_ttl == 5min));
    BOOST_TEST((settings->leases.max_ttl == 30min));
    BOOST_TEST((settings->leases.max_total == 12h));
    BOOST_TEST(settings->leases.per_principal == 10U);
    BOOST_TEST((settings->audit.durability == Durability::disk));
    BOOST_TEST((settings->audit.head_file == "/heads/head"));
    BOOST_TEST((settings->audit.keep == 30 * 24h));
    BOOST_TEST(settings->audit.max_size == std::uint64_t{10} << 30);
    BOOST_TEST(settings->limits.connections_per_uid == 5U);
    BOOST_TEST(settings->limits.requests_per_second == 100U);
    BOOST_TEST(settings->limits.listeners_per_uid == 6U);
    BOOST_TEST((settings->catalog.dir == "/services"));
    BOOST_TEST((settings->rotation.every == std::optional<vocabulary::Duration>(7 * 24h)));
    BOOST_TEST(settings->rotation.keep_versions == 3U);
    BOOST_TEST((settings->outbound.timeout == 5s));
    BOOST_TEST((settings->outbound.ca_file == "/ca.pem"));
    BOOST_TEST(settings->outbound.allow_private);
    BOOST_TEST(settings->outbound.allowed_hosts.size() == 2U);
    BOOST_TEST(settings->outbound.callback == "[::1]:8000");
    BOOST_TEST(settings->outbound.public_url == "https://broker.example.org");
    BOOST_TEST(redirect_uri(settings->outbound) == "https://broker.example.org/oauth/callback");
    BOOST_TEST(settings->outbound.redirect_uris.size() == 3U);
    BOOST_TEST(settings->log.level == "warning");
    BOOST_TEST(settings->log.json);
}

BOOST_AUTO_TEST_CASE(an_admin_group_opens_the_admin_socket_to_it_unless_a_mode_is_said) {
    BOOST_TEST(read("[sockets]\nadmin_group = \"root\"\n")->sockets.admin_mode == 0660U);
    BOOST_TEST(read("[sockets]\nadmin_group = \"root\"\nadmin_mode = \"0600\"\n")->sockets.admin_mode == 0600U);
}

BOOST_AUTO_TEST_CASE(a_key_file_that_was_named_may_be_made) {
    BOOST_TEST(!read_as_system("")->seal.may_make_key);
    BOOST_TEST(read_as_system("[seal]\nkey_file = \"/keys/root.key\"\n")->seal.may_make_key);
}

BOOST_AUTO_TEST_CASE(the_audit_head_lies_beside_the_key_of_a_users_broker) {
    constexpr auto elsewhere =
        "[seal]\nkey_file = \"/keys/root.key\"\n[audit]\nhead_file = \"\"\n[catalog]\ndir = \"\"\n";
    const auto settings = read(elsewhere);
    BOOST_REQUIRE(settings.has_value());
    BOOST_TEST((settings->audit.head_file == "/keys/audit.head"));
    BOOST_TEST((settings->catalog.dir == config_file().parent_path() / "services.d"));
    BOOST_TEST((read_as_system(elsewhere)->audit.head_file == "/var/lib/credlease-head/audit.head"));
}

BOOST_AUTO_TEST_CASE(default_times_shrink_to_what_was_said) {
    const auto total = read("[leases]\nmax_total = \"10m\"\n");
    BOOST_REQUIRE(total.has_value());
    BOOST_TEST((total->leases.max_ttl == 10min));
    BOOST_TEST((total->leases.default_ttl == 10min));
    BOOST_TEST((read("[leases]\nmax_ttl = \"5m\"\n")->leases.default_ttl == 5min));
}

BOOST_AUTO_TEST_CASE(rotation_can_be_never) {
    BOOST_TEST(!read("[rotation]\nevery = \"never\"\n")->rotation.every.has_value());
}

BOOST_AUTO_TEST_CASE(operators_that_are_said_replace_the_default) {
    const auto settings = read("[access]\noperators = [4711]\n");
    BOOST_REQUIRE(settings.has_value());
    BOOST_TEST((settings->access.operators == std::vector<std::uint32_t>{4711}));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::settings
