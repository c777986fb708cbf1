#define BOOST_TEST_DYN_LINK
#include "access/sample_house.hpp"
#include "support/allocations.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::access {
namespace {

using result::ErrorCode;

constexpr std::string_view text = "clg_0123456789012345678901234567890123456789012";

/// An engine that minted one grant for Alice's run in acme.
struct Minted : House {
    vocabulary::Grant grant = sample_grant(1);

    Minted() {
        settings.engines = {engine_rule("flows", 910, Role::editor)};
        settings.workers = {worker_rule("etl", 900)};
        grant.on_behalf_of = alice.text();
        grant.user = alice;
        grant.uid = 900;
        put("acme", alice, Role::member);
    }
    void mint() { grants.apply_mint(grant, token(text)); }
    [[nodiscard]] std::optional<ErrorCode> refusal(Callers& callers, vocabulary::Time now = noon) const {
        return code_of(callers.find(peer(900), on_lease(text), now));
    }
};

BOOST_AUTO_TEST_CASE(a_grant_says_who_its_bearer_is_and_what_it_reaches) {
    Minted house;
    house.grant.reach = {.all = false, .credentials = {credential(1)}};
    house.grant.fields = {"api_key"};
    house.grant.max_ttl = 5min;
    house.mint();
    Callers callers = house.callers();
    const auto caller = callers.find(peer(900), on_lease(text), noon).value();
    BOOST_TEST((caller->kind == CallerKind::grant && caller->user == alice && !caller->every_scope));
    BOOST_TEST(caller->principal == "grant:" + grant_id(1).text());
    BOOST_TEST(caller->on_behalf_of == "user:flows/alice");
    BOOST_TEST((!caller->reach.all && caller->fields == house.grant.fields && caller->max_ttl == 5min));
    BOOST_REQUIRE(caller->grant);
    BOOST_TEST((caller->grant->id == grant_id(1)));
    BOOST_TEST(!caller->may_act());
}

BOOST_AUTO_TEST_CASE(a_bad_grant_never_falls_back_to_a_rule) {
    const Minted house;
    Callers callers = house.callers();
    BOOST_TEST(callers.find(peer(900), on_lease(), noon).has_value());
    for (const std::string_view sent : {text, std::string_view("x"), text.substr(0, 46)}) {
        BOOST_TEST((code_of(callers.find(peer(900), on_lease(sent), noon)) == ErrorCode::unauthenticated));
    }
}

BOOST_AUTO_TEST_CASE(a_grant_ends_at_its_time) {
    Minted house;
    house.mint();
    Callers callers = house.callers();
    BOOST_TEST(!house.refusal(callers, noon + 1h - 1ms));
    BOOST_TEST((house.refusal(callers, noon + 1h) == ErrorCode::unauthenticated));
}

BOOST_AUTO_TEST_CASE(a_grant_is_for_its_uid_unless_it_is_a_bearer_grant) {
    Minted house;
    house.mint();
    Callers callers = house.callers();
    BOOST_TEST((code_of(callers.find(peer(901), on_lease(text), noon)) == ErrorCode::unauthenticated));
    house.grant.uid = std::nullopt;
    house.mint();
    BOOST_TEST(callers.find(peer(901), on_lease(text), noon).has_value());
}

BOOST_AUTO_TEST_CASE(a_withdrawn_grant_lets_nobody_in_again) {
    Minted house;
    house.mint();
    Callers callers = house.callers();
    BOOST_TEST(!house.refusal(callers));
    house.grants.apply_withdraw(grant_id(1));
    BOOST_TEST((house.refusal(callers) == ErrorCode::unauthenticated));
}

BOOST_AUTO_TEST_CASE(a_grant_ends_with_its_users_membership_and_returns_with_it) {
    Minted house;
    house.mint();
    Callers callers = house.callers();
    BOOST_TEST(!house.refusal(callers));
    house.remove("acme", alice);
    BOOST_TEST((house.refusal(callers) == ErrorCode::unauthenticated));
    house.put("acme", alice, Role::admin);
    BOOST_TEST(!house.refusal(callers));
}

BOOST_AUTO_TEST_CASE(a_grant_ends_with_its_workspace) {
    Minted house;
    house.grant.on_behalf_of.clear();
    house.grant.user.reset();
    house.mint();
    Callers callers = house.callers();
    BOOST_TEST(!house.refusal(callers));
    house.directory.apply({.kind = Directory::Change::Kind::erase_workspace, .workspace = workspace("acme")});
    BOOST_TEST((house.refusal(callers) == ErrorCode::unauthenticated));
}

BOOST_AUTO_TEST_CASE(a_grant_ends_with_the_rule_of_the_engine_that_minted_it) {
    Minted house;
    house.mint();
    const auto refusal_under = [&](const std::vector<settings::EngineRule>& engines) {
        house.settings.engines = engines;
        Callers callers = house.callers();
        return house.refusal(callers);
    };
    auto elsewhere = engine_rule("flows", 910, Role::editor);
    elsewhere.workspaces = {workspace("beta")};
    auto of_another_directory = engine_rule("flows", 910, Role::editor);
    of_another_directory.directory = engine("other");
    auto everywhere = elsewhere;
    everywhere.all_workspaces = true;
    BOOST_TEST((refusal_under({}) == ErrorCode::unauthenticated));
    BOOST_TEST((refusal_under({engine_rule("other", 910, Role::admin)}) == ErrorCode::unauthenticated));
    BOOST_TEST((refusal_under({elsewhere}) == ErrorCode::unauthenticated));
    BOOST_TEST((refusal_under({of_another_directory}) == ErrorCode::unauthenticated));
    BOOST_TEST(!refusal_under({everywhere}));
    BOOST_TEST(!refusal_under({engine_rule("flows", 911, Role::member)}));
}

BOOST_AUTO_TEST_CASE(a_grant_ends_with_the_operator_that_minted_it) {
    Minted house;
    house.settings.access.operators = {0};
    house.grant.minted_by = "operator:root";
    house.grant.on_behalf_of.clear();
    house.grant.user.reset();
    house.mint();
    Callers callers = house.callers();
    BOOST_TEST(!house.refusal(callers));
    house.settings.access.operators = {1};
    std::ignore = callers.reload(house.rules());
    BOOST_TEST((house.refusal(callers) == ErrorCode::unauthenticated));
}

BOOST_AUTO_TEST_CASE(a_grant_for_an_operators_own_user_ends_when_it_is_that_user_no_more) {
    Minted house;
    house.settings.access.operators = {0};
    house.settings.access.users = {{0, alice}};
    house.grant.minted_by = "operator:root";
    house.grant.on_behalf_of.clear();
    house.mint();
    Callers callers = house.callers();
    BOOST_TEST(!house.refusal(callers));
    house.settings.access.users = {{0, bob}};
    std::ignore = callers.reload(house.rules());
    BOOST_TEST((house.refusal(callers) == ErrorCode::unauthenticated));
}

BOOST_AUTO_TEST_CASE(a_grant_ends_with_the_mapped_user_that_minted_it) {
    Minted house;
    house.settings.access.users = {{1001, alice}};
    house.grant.minted_by = alice.text();
    house.grant.on_behalf_of.clear();
    house.mint();
    Callers callers = house.callers();
    BOOST_TEST(!house.refusal(callers));
    house.remove("acme", alice);
    BOOST_TEST((house.refusal(callers) == ErrorCode::unauthenticated));
    house.put("acme", alice, Role::member);
    BOOST_TEST(!house.refusal(callers));
    house.settings.access.users = {{1001, bob}};
    std::ignore = callers.reload(house.rules());
    BOOST_TEST((house.refusal(callers) == ErrorCode::unauthenticated));
}

BOOST_AUTO_TEST_CASE(no_bearer_of_a_grant_acts_for_a_user) {
    Minted house;
    house.mint();
    Callers callers = house.callers();
    const Callers::Claims claims{.on_lease_socket = true, .grant = text, .actor = "user:alice"};
    BOOST_TEST((code_of(callers.find(peer(900), claims, noon)) == ErrorCode::forbidden));
}

BOOST_AUTO_TEST_CASE(finding_a_grant_allocates_nothing) {
    Minted house;
    house.mint();
    Callers callers = house.callers();
    const auto from = peer(900);
    BOOST_REQUIRE(callers.find(from, on_lease(text), noon));
    const auto before = test::allocations();
    bool right = true;
    for (int i = 0; i < 100; ++i) right = right && callers.find(from, on_lease(text), noon).has_value();
    BOOST_TEST(test::allocations() == before);
    BOOST_TEST(right);
}

BOOST_AUTO_TEST_CASE(grants_that_have_gone_leave_no_callers_behind) {
    Minted house;
    house.grant.uid.reset();
    Callers callers = house.callers();
    const auto run = [&](std::uint64_t first, std::uint64_t last) {
        for (std::uint64_t number = first; number < last; ++number) {
            house.grant.id = grant_id(number);
            house.mint();
            BOOST_REQUIRE(!house.refusal(callers));
            house.grants.apply_withdraw(grant_id(number));
        }
    };
    run(0, 1000);
    const auto before = test::bytes_in_use();
    run(1000, 3000);
    BOOST_TEST(test::bytes_in_use() < before + 100'000);
}

} // namespace
} // namespace credlease::access
