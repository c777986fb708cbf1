#define BOOST_TEST_DYN_LINK
#include "folder.hpp"
#include "settings/surroundings.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <sys/stat.h>
#include <unistd.h>

namespace credlease::settings {
namespace {

/// The warnings of a right file that speak of `what`.
std::ptrdiff_t warnings_of(const result::Result<Settings>& settings, std::string_view what) {
    BOOST_REQUIRE(settings.has_value());
    return std::ranges::count_if(settings->warnings, [&](const auto& warning) { return warning.contains(what); });
}

constexpr std::string_view right = R"(
[[engine]]
name = "flows"
uid = 4711
workspaces = ["acme"]
[[worker]]
name = "etl"
uid = 4712
unit = "etl.service"
exe = "/usr/lib/etl/worker"
)";

std::string worker(std::string_view name, int uid, std::string_view rest = "") {
    return "[[worker]]\nname = \"" + std::string(name) + "\"\nuid = " + std::to_string(uid) + "\n" + std::string(rest);
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(warning_promises, Folder)

BOOST_AUTO_TEST_CASE(a_file_without_weak_rules_warns_of_nothing) {
    const auto settings = read(right);
    BOOST_REQUIRE(settings.has_value());
    BOOST_TEST(settings->warnings.empty());
}

BOOST_AUTO_TEST_CASE(a_worker_that_shares_an_engines_uid_is_the_engine) {
    const auto settings = read(std::string(right) + worker("run", 4711, "unit = \"run.service\"\n"));
    BOOST_TEST(settings->warnings.size() == 1U);
    BOOST_TEST(warnings_of(settings, "[[worker]] run shares uid 4711 with [[engine]] flows") == 1);
}

BOOST_AUTO_TEST_CASE(a_rule_for_root_says_less_than_it_seems) {
    BOOST_TEST(warnings_of(read(worker("all", 0)), "[[worker]] all is for root") == 1);
    BOOST_TEST(warnings_of(read("[[engine]]\nname = \"e\"\nuid = 0\nworkspaces = [\"*\"]\n"),
                           "[[engine]] e is for root") == 1);
}

BOOST_AUTO_TEST_CASE(a_socket_for_everyone_is_named) {
    BOOST_TEST(warnings_of(read("[sockets]\nlease_mode = \"0666\"\n"), "lease_mode 0666") == 1);
    BOOST_TEST(warnings_of(read("[sockets]\nadmin_mode = \"0662\"\n"), "admin_mode 0662") == 1);
}

BOOST_AUTO_TEST_CASE(an_executable_alone_keeps_nothing_apart) {
    BOOST_TEST(warnings_of(read(worker("etl", 4712, "exe = \"/bin/sh\"\n")), "`exe` alone") == 1);
    BOOST_TEST(warnings_of(read(worker("etl", 4712, "exe = \"/bin/sh\"\nunit = \"etl.service\"\n")), "`exe`") == 0);
}

BOOST_AUTO_TEST_CASE(a_rule_behind_one_that_takes_all_never_matches) {
    const auto settings =
        read(worker("first", 4712) + worker("second", 4712, "unit = \"x.service\"\n") + worker("other", 4713));
    BOOST_TEST(settings->warnings.size() == 1U);
    BOOST_TEST(warnings_of(settings, "[[worker]] second never matches: [[worker]] first") == 1);
}

BOOST_AUTO_TEST_CASE(an_audit_head_in_the_data_folder_rolls_back_with_it) {
    const auto head = (path() / "state/credlease/audit.head").string();
    BOOST_TEST(warnings_of(read("[audit]\nhead_file = \"" + head + "\"\n"), "head_file") == 1);
}

BOOST_AUTO_TEST_CASE(a_worker_that_cannot_reach_the_sockets_of_a_users_broker_is_named) {
    const auto reach = [&] {
        const auto settings = read(worker("etl", 4712) + worker("own", static_cast<int>(::geteuid())));
        BOOST_REQUIRE(settings.has_value());
        return find_unreachable_workers(*settings);
    };
    BOOST_REQUIRE(::chmod(path().c_str(), 0755) == 0);
    const auto runtime = path() / "runtime/credlease";
    const auto not_made_yet = reach();
    BOOST_REQUIRE(not_made_yet.size() == 1U);
    BOOST_TEST(not_made_yet.front().contains("[[worker]] etl is for uid 4712, which cannot reach the sockets"));
    std::filesystem::create_directories(runtime);
    BOOST_REQUIRE(::chmod(runtime.c_str(), 0755) == 0 && ::chmod(runtime.parent_path().c_str(), 0700) == 0);
    BOOST_TEST(reach().front().contains(runtime.parent_path().native() + " is closed to it"));
    BOOST_REQUIRE(::chmod(runtime.parent_path().c_str(), 0711) == 0);
    BOOST_TEST(reach().empty());
}

BOOST_AUTO_TEST_CASE(a_head_that_has_no_folder_to_lie_in_is_a_fault_unless_the_first_start_makes_the_folder) {
    const auto fault = [&](const std::filesystem::path& head) {
        const auto settings = read("[audit]\nhead_file = \"" + head.native() + "\"\n");
        BOOST_REQUIRE(settings.has_value());
        return find_head_fault(*settings);
    };
    BOOST_TEST(fault(path() / "nowhere/audit.head")->sentence.view() == "The folder of the audit head does not exist.");
    BOOST_TEST(fault(config_file() / "audit.head")->about.text().contains("Not a directory"));
    BOOST_TEST(!fault(path() / "audit.head").has_value());
    const auto by_default = read("[seal]\nkey_file = \"" + (path() / "keys/root.key").native() + "\"\n");
    BOOST_REQUIRE(by_default.has_value());
    BOOST_TEST(!find_head_fault(*by_default).has_value());
}

BOOST_AUTO_TEST_CASE(a_system_config_that_others_can_change_is_named) {
    const auto file = path() / "system.toml";
    BOOST_TEST(warnings_of(read_as_system(""), "system.toml") == 0);
    BOOST_REQUIRE(::chmod(file.c_str(), 0664) == 0);
    BOOST_TEST(warnings_of(read_as_system(""), "can be changed by others") == 1);
    BOOST_REQUIRE(::chmod(file.c_str(), 0644) == 0);
    if (::chown(file.c_str(), 65534, 65534) != 0) {
        BOOST_TEST_MESSAGE("skipped: only root can give a file away");
        return;
    }
    BOOST_TEST(warnings_of(read_as_system(""), "belongs to uid 65534") == 1);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::settings
