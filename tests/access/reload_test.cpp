#define BOOST_TEST_DYN_LINK
#include "access/sample_house.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>

namespace credlease::access {
namespace {

using Lost = std::vector<std::string>;

/// A broker with one of each kind of rule, and what a reload takes from whom.
struct Reloaded : House {
    Reloaded() {
        auto worker = worker_rule("etl", 900);
        worker.unit = "etl.service";
        worker.exe = "/usr/lib/etl/worker";
        worker.exe_sha256 = {1};
        worker.user = alice;
        worker.reach = {.all = false, .credentials = {credential(1), credential(2)}, .services = {service("openai")}};
        worker.fields = {"api_key", "organization"};
        settings.workers = {worker, worker_rule("web", 901)};
        auto flows = engine_rule("flows", 910, Role::editor);
        flows.unit = "flows.service";
        flows.workspaces = {workspace("acme"), workspace("beta")};
        settings.engines = {flows};
        settings.access.operators = {0, 1};
        settings.access.users = {{1, bob}, {1001, alice}};
    }
    Lost reload_after(const std::function<void(settings::Settings&)>& change) const {
        Callers callers(rules(), directory, grants);
        auto changed = settings;
        change(changed);
        return callers.reload(std::make_shared<const settings::Settings>(changed));
    }
    Lost worker(const std::function<void(settings::WorkerRule&)>& change) const {
        return reload_after([&](settings::Settings& settings) { change(settings.workers[0]); });
    }
    Lost engine_(const std::function<void(settings::EngineRule&)>& change) const {
        return reload_after([&](settings::Settings& settings) { change(settings.engines[0]); });
    }
};

BOOST_AUTO_TEST_CASE(a_reload_that_changes_nothing_takes_nothing) {
    const Reloaded house;
    BOOST_TEST((house.reload_after([](settings::Settings&) {}) == Lost{}));
}

BOOST_AUTO_TEST_CASE(rules_that_are_gone_are_named) {
    const Reloaded house;
    const auto lost = house.reload_after([](settings::Settings& settings) {
        settings.workers.clear();
        settings.engines.clear();
        settings.access.operators = {1};
        settings.access.users.clear();
    });
    BOOST_TEST((lost == Lost{"engine:flows", "operator:daemon", "operator:root", "user:flows/alice", "worker:etl",
                             "worker:web"}));
}

BOOST_AUTO_TEST_CASE(a_worker_rule_that_lets_in_others_or_reaches_less_is_named) {
    const Reloaded house;
    using Rule = settings::WorkerRule;
    const Lost lost{"worker:etl"};
    BOOST_TEST((house.worker([](Rule& rule) { rule.uid = 902; }) == lost));
    BOOST_TEST((house.worker([](Rule& rule) { rule.unit = "other.service"; }) == lost));
    BOOST_TEST((house.worker([](Rule& rule) { rule.exe = "/usr/bin/other"; }) == lost));
    BOOST_TEST((house.worker([](Rule& rule) { rule.exe_sha256 = {2}; }) == lost));
    BOOST_TEST((house.worker([](Rule& rule) { rule.workspace = workspace("beta"); }) == lost));
    BOOST_TEST((house.worker([](Rule& rule) { rule.user.reset(); }) == lost));
    BOOST_TEST((house.worker([](Rule& rule) { rule.user = bob; }) == lost));
    BOOST_TEST((house.worker([](Rule& rule) { rule.reach.credentials.pop_back(); }) == lost));
    BOOST_TEST((house.worker([](Rule& rule) { rule.reach.services.clear(); }) == lost));
    BOOST_TEST((house.worker([](Rule& rule) { rule.fields.pop_back(); }) == lost));
    BOOST_TEST((house.worker([](Rule& rule) { rule.name = engine("renamed"); }) == lost));
    BOOST_TEST((house.reload_after([](settings::Settings& settings) { settings.workers[1].unit = "web.service"; }) ==
                Lost{"worker:web"}));
    BOOST_TEST((house.reload_after([](settings::Settings& settings) { settings.workers[1].fields = {"token"}; }) ==
                Lost{"worker:web"}));
    BOOST_TEST((house.reload_after([](settings::Settings& settings) { settings.workers[1].reach.all = false; }) ==
                Lost{"worker:web"}));
}

BOOST_AUTO_TEST_CASE(a_worker_rule_that_reaches_more_keeps_its_leases) {
    const Reloaded house;
    using Rule = settings::WorkerRule;
    BOOST_TEST((house.worker([](Rule& rule) { rule.unit.clear(); }) == Lost{}));
    BOOST_TEST((house.worker([](Rule& rule) { rule.exe.clear(); }) == Lost{}));
    BOOST_TEST((house.worker([](Rule& rule) { rule.exe_sha256.reset(); }) == Lost{}));
    BOOST_TEST((house.worker([](Rule& rule) { rule.reach = {}; }) == Lost{}));
    BOOST_TEST((house.worker([](Rule& rule) { rule.reach.credentials.push_back(credential(3)); }) == Lost{}));
    BOOST_TEST((house.worker([](Rule& rule) { rule.fields.clear(); }) == Lost{}));
    BOOST_TEST((house.worker([](Rule& rule) { rule.max_ttl = 1min; }) == Lost{}));
    BOOST_TEST((house.reload_after([](settings::Settings& settings) {
        std::swap(settings.workers[0], settings.workers[1]);
        settings.workers[0].user = alice;
    }) == Lost{}));
}

BOOST_AUTO_TEST_CASE(an_engine_that_reaches_less_is_named) {
    const Reloaded house;
    using Rule = settings::EngineRule;
    const Lost lost{"engine:flows"};
    BOOST_TEST((house.engine_([](Rule& rule) { rule.uid = 911; }) == lost));
    BOOST_TEST((house.engine_([](Rule& rule) { rule.unit = "other.service"; }) == lost));
    BOOST_TEST((house.engine_([](Rule& rule) { rule.workspaces.pop_back(); }) == lost));
    BOOST_TEST((house.engine_([](Rule& rule) { rule.max_role = Role::member; }) == lost));
    BOOST_TEST((house.engine_([](Rule& rule) { rule.directory = engine("other"); }) == lost));
    BOOST_TEST((house.engine_([](Rule& rule) { rule.unit.clear(); }) == Lost{}));
    BOOST_TEST((house.engine_([](Rule& rule) { rule.all_workspaces = true; }) == Lost{}));
    BOOST_TEST((house.engine_([](Rule& rule) { rule.max_role = Role::admin; }) == Lost{}));
}

BOOST_AUTO_TEST_CASE(an_account_that_becomes_someone_else_is_named) {
    const Reloaded house;
    const auto access = [&](const std::function<void(settings::Settings::Access&)>& change) {
        return house.reload_after([&](settings::Settings& settings) { change(settings.access); });
    };
    using Access = settings::Settings::Access;
    BOOST_TEST((access([](Access& rules) { rules.users[1001] = bob; }) == Lost{"user:flows/alice"}));
    BOOST_TEST((access([](Access& rules) { rules.operators.push_back(1001); }) == Lost{"user:flows/alice"}));
    BOOST_TEST((access([](Access& rules) { rules.users.erase(1); }) == Lost{"operator:daemon"}));
    BOOST_TEST((access([](Access& rules) { rules.operators = {0}; }) == Lost{"operator:daemon"}));
    BOOST_TEST((access([](Access& rules) { rules.users[0] = alice; }) == Lost{}));
    BOOST_TEST((access([](Access& rules) { rules.users[1002] = alice; }) == Lost{}));
}

BOOST_AUTO_TEST_CASE(a_reload_changes_who_everyone_is_from_the_next_request_on) {
    House house;
    house.settings.workers = {worker_rule("etl", 900)};
    Callers callers = house.callers();
    BOOST_TEST(callers.find(peer(900), on_lease(), noon).has_value());
    house.settings.workers = {worker_rule("web", 901)};
    house.settings.access.operators = {0};
    BOOST_TEST((callers.reload(house.rules()) == Lost{"worker:etl"}));
    BOOST_TEST(!callers.find(peer(900), on_lease(), noon).has_value());
    BOOST_TEST(callers.find(peer(901), on_lease(), noon).value()->principal == "worker:web");
    BOOST_TEST(callers.find(peer(0), on_admin(), noon).has_value());
}

} // namespace
} // namespace credlease::access
