#define BOOST_TEST_DYN_LINK
#include "folder.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <grp.h>
#include <unistd.h>

namespace credlease::settings {
namespace {

using namespace std::chrono_literals;

std::optional<std::uint32_t> gid_of(const char* group) {
    const auto* const found = ::getgrnam(group);
    return found == nullptr ? std::nullopt : std::optional<std::uint32_t>(found->gr_gid);
}

void check_what_both_have(const Settings& settings) {
    BOOST_TEST(settings.sockets.lease_mode == 0660U);
    BOOST_TEST((settings.seal.method == SealMethod::key_file));
    BOOST_TEST((settings.memory.arena == ArenaChoice::automatic));
    BOOST_TEST(settings.memory.size == 4194304U);
    BOOST_TEST(settings.access.users.empty());
    BOOST_TEST(settings.engines.empty());
    BOOST_TEST((settings.leases.default_ttl == 15min));
    BOOST_TEST((settings.leases.max_ttl == 1h));
    BOOST_TEST((settings.leases.max_total == 24h));
    BOOST_TEST(settings.leases.per_principal == 4096U);
    BOOST_TEST((settings.audit.durability == Durability::kernel));
    BOOST_TEST((settings.audit.keep == 400 * 24h));
    BOOST_TEST(settings.audit.max_size == 0U);
    BOOST_TEST(settings.limits.connections_per_uid == 1024U);
    BOOST_TEST(settings.limits.requests_per_second == 0U);
    BOOST_TEST(settings.limits.listeners_per_uid == 1024U);
    BOOST_TEST((settings.rotation.every == std::optional<vocabulary::Duration>(90 * 24h)));
    BOOST_TEST(settings.rotation.keep_versions == 10U);
    BOOST_TEST((settings.outbound.timeout == 20s));
    BOOST_TEST(settings.outbound.ca_file.empty());
    BOOST_TEST(!settings.outbound.allow_private);
    BOOST_TEST(settings.outbound.callback == "127.0.0.1:7466");
    BOOST_TEST(redirect_uri(settings.outbound) == "http://127.0.0.1:7466/oauth/callback");
    BOOST_TEST(settings.log.level == "info");
    BOOST_TEST(!settings.log.json);
    BOOST_TEST(settings.warnings.empty());
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(default_promises, Folder)

BOOST_AUTO_TEST_CASE(a_users_broker_needs_no_config_file) {
    BOOST_REQUIRE(read("").has_value()); // sets the XDG variables
    std::filesystem::remove(config_file());
    const auto settings = read_settings({});
    BOOST_REQUIRE(settings.has_value());
    check_what_both_have(*settings);
    BOOST_TEST(!settings->system);
    BOOST_TEST((settings->places.config_file == config_file()));
    BOOST_TEST((settings->places.data == path() / "state/credlease"));
    BOOST_TEST((settings->places.runtime == path() / "runtime/credlease"));
    BOOST_TEST((settings->seal.key_file == path() / "config/credlease/root.key"));
    BOOST_TEST((settings->audit.head_file == path() / "config/credlease/audit.head"));
    BOOST_TEST((settings->catalog.dir == path() / "config/credlease/services.d"));
    BOOST_TEST(settings->seal.may_make_key);
    BOOST_TEST(!settings->sockets.own_uid_only);
    BOOST_TEST(settings->sockets.admin_mode == 0600U);
    BOOST_TEST(!settings->sockets.lease_group.has_value());
}

BOOST_AUTO_TEST_CASE(a_users_broker_serves_its_own_user) {
    const auto settings = read("");
    BOOST_REQUIRE(settings.has_value());
    BOOST_REQUIRE(settings->workers.size() == 1U);
    const auto& self = settings->workers.front();
    BOOST_TEST(self.name.text() == "self");
    BOOST_TEST(self.uid == ::geteuid());
    BOOST_TEST(self.workspace.text() == "default");
    BOOST_TEST(self.unit.empty());
    BOOST_TEST(self.exe.empty());
    BOOST_TEST(!self.user.has_value());
    BOOST_TEST(self.reach.all);
}

BOOST_AUTO_TEST_CASE(a_users_broker_with_a_worker_rule_has_no_other) {
    const auto settings = read("[[worker]]\nname = \"etl\"\nuid = 4711\n");
    BOOST_REQUIRE(settings.has_value());
    BOOST_REQUIRE(settings->workers.size() == 1U);
    BOOST_TEST(settings->workers.front().name.text() == "etl");
}

BOOST_AUTO_TEST_CASE(the_systems_broker_has_its_own_places_and_serves_nobody) {
    const auto settings = read_as_system("");
    BOOST_REQUIRE(settings.has_value());
    check_what_both_have(*settings);
    BOOST_TEST(settings->system);
    BOOST_TEST((settings->places.data == "/var/lib/credlease"));
    BOOST_TEST((settings->places.runtime == "/run/credlease"));
    BOOST_TEST((settings->seal.key_file == "/etc/credlease/root.key"));
    BOOST_TEST((settings->audit.head_file == "/var/lib/credlease-head/audit.head"));
    BOOST_TEST((settings->catalog.dir == path() / "services.d")); // beside the config file that was named
    BOOST_TEST(!settings->seal.may_make_key);
    BOOST_TEST(settings->workers.empty());
    BOOST_TEST((settings->sockets.lease_group == gid_of("credlease")));
    BOOST_TEST((settings->sockets.admin_group == gid_of("credlease-admin")));
    BOOST_TEST(settings->sockets.admin_mode == (settings->sockets.admin_group ? 0660U : 0600U));
}

BOOST_AUTO_TEST_CASE(the_systems_config_file_lies_in_etc) {
    const auto settings = read_settings({.system = true});
    if (!settings) return; // this host has one of its own, and it is wrong
    BOOST_TEST((settings->places.config_file == "/etc/credlease/credleased.toml"));
    BOOST_TEST((settings->catalog.dir == "/etc/credlease/services.d"));
}

BOOST_AUTO_TEST_CASE(operators_are_root_and_the_daemons_own_uid) {
    const auto settings = read("");
    BOOST_REQUIRE(settings.has_value());
    const auto& operators = settings->access.operators;
    BOOST_TEST((std::ranges::find(operators, 0U) != operators.end()));
    BOOST_TEST((std::ranges::find(operators, ::geteuid()) != operators.end()));
    BOOST_TEST(operators.size() == (::geteuid() == 0 ? 1U : 2U));
}

BOOST_AUTO_TEST_CASE(without_xdg_variables_places_lie_below_home) {
    ::setenv("HOME", path().c_str(), 1);
    for (const char* const variable : {"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"}) ::unsetenv(variable);
    const auto settings = read_settings({});
    BOOST_REQUIRE(settings.has_value());
    BOOST_TEST((settings->places.config_file == path() / ".config/credlease/credleased.toml"));
    BOOST_TEST((settings->places.data == path() / ".local/state/credlease"));
    BOOST_TEST((settings->places.runtime == path() / ".local/state/credlease/run"));
    BOOST_TEST(settings->sockets.own_uid_only);
}

BOOST_AUTO_TEST_CASE(an_xdg_variable_with_a_relative_path_is_ignored) {
    ::setenv("HOME", path().c_str(), 1);
    ::setenv("XDG_CONFIG_HOME", "config", 1);
    ::setenv("XDG_STATE_HOME", "", 1);
    ::setenv("XDG_RUNTIME_DIR", "run", 1);
    const auto settings = read_settings({});
    BOOST_REQUIRE(settings.has_value());
    BOOST_TEST((settings->places.config_file == path() / ".config/credlease/credleased.toml"));
    BOOST_TEST((settings->places.data == path() / ".local/state/credlease"));
    BOOST_TEST(settings->sockets.own_uid_only);
}

BOOST_AUTO_TEST_CASE(flags_come_before_everything) {
    std::ofstream(path() / "mine.toml") << "[log]\nlevel = \"debug\"\n";
    for (const bool system : {false, true}) {
        const auto settings = read_settings({.system = system,
                                             .config = path() / "mine.toml",
                                             .data_dir = path() / "there/../data",
                                             .runtime_dir = path() / "sockets"});
        BOOST_REQUIRE(settings.has_value());
        BOOST_TEST(settings->log.level == "debug");
        BOOST_TEST((settings->places.data == path() / "data"));
        BOOST_TEST((settings->places.runtime == path() / "sockets"));
        BOOST_TEST(!settings->sockets.own_uid_only);
    }
}

BOOST_AUTO_TEST_CASE(a_config_file_that_was_named_must_be_there) {
    const auto absent = read_settings({.config = path() / "absent.toml"});
    BOOST_REQUIRE(!absent.has_value());
    BOOST_TEST((absent.error().code == result::ErrorCode::configuration));
    BOOST_TEST(absent.error().about.text() == (path() / "absent.toml").string() + ": No such file or directory");
    BOOST_TEST(!read_settings({.config = path()}).has_value()); // a folder
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::settings
