#define BOOST_TEST_DYN_LINK
#include "folder.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::settings {

using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(rule_promises, Folder)

BOOST_AUTO_TEST_CASE(an_engine_rule_says_whom_and_what) {
    const auto settings = read(R"(
[[engine]]
name = "flows"
uid = 4711
unit = "n8n.service"
workspaces = ["acme", "default"]
max_role = "editor"
[[engine]]
name = "runs"
uid = "4712"
workspaces = ["*"]
directory = "flows"
)");
    BOOST_REQUIRE(settings.has_value());
    BOOST_REQUIRE(settings->engines.size() == 2U);
    const auto& flows = settings->engines[0];
    BOOST_TEST(flows.name.text() == "flows");
    BOOST_TEST(flows.uid == 4711U);
    BOOST_TEST(flows.unit == "n8n.service");
    BOOST_TEST(!flows.all_workspaces);
    BOOST_REQUIRE(flows.workspaces.size() == 2U);
    BOOST_TEST(flows.workspaces[0].text() == "acme");
    BOOST_TEST((flows.max_role == Role::editor));
    BOOST_TEST(flows.directory.text() == "flows");
    const auto& runs = settings->engines[1];
    BOOST_TEST(runs.uid == 4712U);
    BOOST_TEST(runs.unit.empty());
    BOOST_TEST(runs.all_workspaces);
    BOOST_TEST(runs.workspaces.empty());
    BOOST_TEST((runs.max_role == Role::member));
    BOOST_TEST(runs.directory.text() == "flows");
}

BOOST_AUTO_TEST_CASE(worker_rules_keep_their_order_and_say_all_that_must_match) {
    const auto settings = read(R"(
[[worker]]
name = "etl"
uid = "nobody"
unit = "etl@*.service"
exe = "/usr/lib/etl/../etl/worker"
exe_sha256 = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"
workspace = "acme"
user = "user:flows/alice"
credentials = ["cred_01j00000000000000000000000"]
services = ["openai", "github"]
fields = ["api_key"]
max_ttl = "10m"
[[worker]]
name = "rest"
uid = 4711
)");
    BOOST_REQUIRE(settings.has_value());
    BOOST_REQUIRE(settings->workers.size() == 2U);
    const auto& etl = settings->workers[0];
    BOOST_TEST(etl.name.text() == "etl");
    BOOST_TEST(etl.unit == "etl@*.service");
    BOOST_TEST(etl.exe == "/usr/lib/etl/worker");
    BOOST_REQUIRE(etl.exe_sha256.has_value());
    BOOST_TEST(etl.exe_sha256->at(0) == 0);
    BOOST_TEST(etl.exe_sha256->at(31) == 0x1f);
    BOOST_TEST(etl.workspace.text() == "acme");
    BOOST_TEST(etl.user->text() == "user:flows/alice");
    BOOST_TEST(!etl.reach.all);
    BOOST_TEST(etl.reach.credentials.size() == 1U);
    BOOST_TEST(etl.reach.services.size() == 2U);
    BOOST_TEST((etl.fields == std::vector<std::string>{"api_key"}));
    BOOST_TEST((etl.max_ttl == std::optional<vocabulary::Duration>(10min)));
    const auto& rest = settings->workers[1];
    BOOST_TEST(rest.workspace.text() == "default");
    BOOST_TEST(rest.reach.all);
    BOOST_TEST(rest.fields.empty());
    BOOST_TEST(!rest.user.has_value());
    BOOST_TEST(!rest.max_ttl.has_value());
}

BOOST_AUTO_TEST_CASE(roles_have_names_both_ways) {
    for (const Role role : {Role::member, Role::editor, Role::admin}) BOOST_TEST((find_role(name_of(role)) == role));
    BOOST_TEST(name_of(Role::editor) == "editor");
    BOOST_TEST(!find_role("owner").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::settings
