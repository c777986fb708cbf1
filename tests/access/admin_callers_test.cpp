#define BOOST_TEST_DYN_LINK
#include "access/sample_house.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::access {
namespace {

using result::ErrorCode;

/// "engine:flows for user:flows/alice", or the refusal's code.
std::string who(Callers& callers, const attestation::Peer& from, std::string_view actor = {}) {
    const auto caller = callers.find(from, on_admin(actor), noon);
    if (!caller) return std::string(result::name_of(caller.error().code));
    const auto& on_behalf_of = (*caller)->on_behalf_of;
    return (*caller)->principal + (on_behalf_of.empty() ? "" : " for " + on_behalf_of);
}

BOOST_AUTO_TEST_CASE(operators_engines_and_mapped_users_are_known_by_uid_and_nobody_else_is) {
    House house;
    house.settings.access.operators = {0};
    house.settings.access.users = {{1001, user("user:local/alice")}};
    house.settings.engines = {engine_rule("flows", 910, Role::editor)};
    house.settings.workers = {worker_rule("etl", 900)};
    Callers callers = house.callers();
    BOOST_TEST(who(callers, peer(0)) == "operator:root");
    BOOST_TEST(who(callers, peer(1001)) == "user:local/alice");
    BOOST_TEST(who(callers, peer(910)) == "engine:flows");
    BOOST_TEST(who(callers, peer(900)) == "unauthenticated");
    BOOST_TEST(who(callers, peer(65533)) == "unauthenticated");
}

BOOST_AUTO_TEST_CASE(an_operator_without_an_account_name_is_known_by_its_number) {
    House house;
    house.settings.access.operators = {4'000'000'001};
    Callers callers = house.callers();
    BOOST_TEST(who(callers, peer(4'000'000'001)) == "operator:4000000001");
}

BOOST_AUTO_TEST_CASE(a_grant_sent_to_the_admin_socket_lets_nobody_in) {
    House house;
    house.settings.access.operators = {0};
    auto grant = sample_grant(1);
    grant.minted_by = "operator:root";
    house.grants.apply_mint(grant, token("clg_x"));
    Callers callers = house.callers();
    BOOST_TEST(callers.find(peer(0), on_lease("clg_x"), noon).has_value());
    BOOST_TEST((code_of(callers.find(peer(0), {.grant = "clg_x"}, noon)) == ErrorCode::unauthenticated));
}

BOOST_AUTO_TEST_CASE(an_engine_is_its_uid_and_its_unit) {
    House house;
    house.settings.engines = {engine_rule("flows", 910, Role::editor), engine_rule("other", 910, Role::editor)};
    house.settings.engines[0].unit = "flows*.service";
    house.settings.engines[1].unit = "other.service";
    Callers callers = house.callers();
    BOOST_TEST(who(callers, peer(910, "flows-2.service")) == "engine:flows");
    BOOST_TEST(who(callers, peer(910, "other.service")) == "engine:other");
    BOOST_TEST(who(callers, peer(910)) == "unauthenticated");
    BOOST_TEST(who(callers, peer(910), "user:alice") == "unauthenticated");
}

BOOST_AUTO_TEST_CASE(an_engine_acts_for_users_of_its_directory) {
    House house;
    house.settings.engines = {engine_rule("flows", 910, Role::editor), engine_rule("nightly", 911, Role::editor)};
    house.settings.engines[1].directory = engine("flows");
    Callers callers = house.callers();
    BOOST_TEST(who(callers, peer(910), "user:alice") == "engine:flows for user:flows/alice");
    BOOST_TEST(who(callers, peer(910), "user:flows/alice") == "engine:flows for user:flows/alice");
    BOOST_TEST(who(callers, peer(911), "user:alice") == "engine:nightly for user:flows/alice");
    BOOST_TEST(who(callers, peer(910), "user:local/alice") == "forbidden");
    for (const auto* malformed : {"alice", "user:", "user:-alice", "user:a b", "user:flows/", "user:/alice",
                                  "group:alice", "user:flows/alice/x", " user:alice"}) {
        BOOST_TEST(who(callers, peer(910), malformed) == "invalid_request", malformed);
    }
}

BOOST_AUTO_TEST_CASE(nobody_but_an_engine_acts_for_a_user) {
    House house;
    house.settings.access.operators = {0};
    house.settings.access.users = {{1001, alice}};
    Callers callers = house.callers();
    BOOST_TEST(who(callers, peer(0), "user:alice") == "forbidden");
    BOOST_TEST(who(callers, peer(1001), "user:alice") == "forbidden");
    BOOST_TEST(who(callers, peer(1002), "user:alice") == "unauthenticated");
}

BOOST_AUTO_TEST_CASE(a_uid_that_is_engine_and_operator_or_user_is_the_engine_where_it_sends_an_actor) {
    House house;
    house.settings.access.operators = {0};
    house.settings.access.users = {{1001, user("user:local/alice")}};
    house.settings.engines = {engine_rule("flows", 0, Role::editor), engine_rule("mine", 1001, Role::editor)};
    Callers callers = house.callers();
    BOOST_TEST(who(callers, peer(0)) == "operator:root");
    BOOST_TEST(who(callers, peer(0), "user:alice") == "engine:flows for user:flows/alice");
    BOOST_TEST(who(callers, peer(1001)) == "user:local/alice");
    BOOST_TEST(who(callers, peer(1001), "user:alice") == "engine:mine for user:mine/alice");
}

BOOST_AUTO_TEST_CASE(an_operator_listed_as_a_user_has_that_personal_scope_besides) {
    House house;
    house.settings.access.operators = {0};
    house.settings.access.users = {{0, alice}};
    Callers callers = house.callers();
    const auto caller = callers.find(peer(0), on_admin(), noon).value();
    BOOST_TEST(caller->principal == "operator:root");
    BOOST_TEST((caller->kind == CallerKind::operator_ && caller->user == alice && caller->every_scope));
    BOOST_TEST((caller->scopes.front() == Scope::of(alice)));
    BOOST_TEST((role_in(*caller, Scope::of(alice)) == Role::admin));
    BOOST_TEST(!role_in(*caller, Scope::of(bob)));
}

BOOST_AUTO_TEST_CASE(a_change_of_the_directory_reaches_every_caller_at_its_next_request) {
    House house;
    house.settings.access.users = {{1001, alice}};
    house.settings.engines = {engine_rule("flows", 910, Role::admin)};
    Callers callers = house.callers();
    const auto role = [&](std::uint32_t uid, std::string_view actor) {
        return role_in(*callers.find(peer(uid), on_admin(actor), noon).value(), Scope::of(workspace("acme")));
    };
    BOOST_TEST((!role(1001, "") && !role(910, "user:alice")));
    house.put("acme", alice, Role::editor);
    BOOST_TEST((role(1001, "") == Role::editor && role(910, "user:alice") == Role::editor));
    house.remove("acme", alice);
    BOOST_TEST((!role(1001, "") && !role(910, "user:alice")));
}

BOOST_AUTO_TEST_CASE(a_caller_is_made_once_and_shared) {
    House house;
    house.settings.engines = {engine_rule("flows", 910, Role::admin)};
    Callers callers = house.callers();
    const auto first = callers.find(peer(910), on_admin("user:alice"), noon).value();
    BOOST_TEST((callers.find(peer(910), on_admin("user:alice"), noon).value() == first));
}

BOOST_AUTO_TEST_CASE(an_engine_with_ever_new_actors_is_served_without_end) {
    House house;
    house.settings.engines = {engine_rule("flows", 910, Role::admin)};
    Callers callers = house.callers();
    bool right = true;
    for (int i = 0; i < 25'000; ++i) {
        const std::string actor = "user:u" + std::to_string(i);
        right = right && who(callers, peer(910), actor) == "engine:flows for user:flows/u" + std::to_string(i);
    }
    BOOST_TEST(right);
}

} // namespace
} // namespace credlease::access
