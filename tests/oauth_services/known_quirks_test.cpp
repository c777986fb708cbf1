#define BOOST_TEST_DYN_LINK
#include "entry.hpp"

#include <boost/test/unit_test.hpp>

using namespace credlease::tests;

namespace {

/// What entries may say: the provider behaves by it, or a check looks at it. A member that is added to an entry comes
/// here together with what tests it.
const std::set<std::string>& known_members() {
    static const std::set<std::string> known{
        // Where requests go, and what flows there are.
        "flow", "flow.field", "flows", "issuer", "authorize_url", "token_url", "refresh_url", "device_url",
        // Who asks.
        "client_auth", "client_auth.field", "secret_is_user", "client_id", "client_secret", "pkce", "pkce_reason",
        // What is asked for.
        "body", "grant_type", "scopes", "default_scopes", "scope_parameter", "scope_separator", "authorize_parameters",
        "authorize_parameters.name", "authorize_parameters.value", "token_parameters", "token_parameters.name",
        "token_parameters.value", "refresh_parameters", "refresh_parameters.name", "refresh_parameters.value",
        "headers", "headers.name", "headers.value",
        // Assertions.
        "jwt", "jwt.private_key", "jwt.claims", "jwt.claims.name", "jwt.claims.value", "jwt.headers",
        "jwt.headers.name", "jwt.headers.value", "jwt.scope_claim", "jwt.lifetime", "jwt.backdated", "jwt.as",
        "jwt.jti",
        // Answers.
        "slots", "slots.name", "slots.access_token", "slots.access_token_at", "slots.token_type", "slots.token_type_at",
        "slots.refresh_token_at", "slots.expires_in_at", "slots.expires_at_at", "slots.scope_at",
        "slots.refresh_expires_in_at", "slots.nested_in", "answer_fields", "answer_fields.field", "answer_fields.at",
        "answer_fields.parameter", "answer_fields.url", "account_at",
        // Classes, clocks, errors.
        "refresh_class", "refresh_class.field", "clocks", "clocks.access", "clocks.refresh_idle",
        "clocks.refresh_absolute", "clocks.client_secret", "clocks.grace", "clocks.margin",
        "clocks.access_after_refresh", "errors", "errors.at", "errors.sub_at", "errors.text_at", "errors.ok_at",
        "errors.rules", "errors.rules.status", "errors.rules.error", "errors.rules.sub_error", "errors.rules.meaning",
        // Limits, which the provider holds the broker to.
        "budget", "budget.requests", "budget.per", "budget.at_once", "grant_budget", "grant_budget.requests",
        "grant_budget.per", "grant_budget.at_once", "grants_per_account",
        // Letting go.
        "revocation", "revocation.url", "revocation.method", "revocation.as", "revocation.client_auth",
        "revocation.body", "revocation.token_parameter", "revocation.by_access_token",
        // What a lease gives.
        "http.headers", "http.headers.name", "http.headers.value", "http.base_url", "http.allowed_hosts"};
    return known;
}

} // namespace

BOOST_AUTO_TEST_SUITE(oauth_services)

BOOST_AUTO_TEST_CASE(every_quirk_that_an_entry_has_is_one_that_these_tests_know) {
    for (const auto& member : members_in_use()) BOOST_TEST(known_members().contains(member), member);
}

BOOST_AUTO_TEST_CASE(every_entry_has_its_tests_and_each_of_its_flows_too) {
    std::set<std::string> tested;
    for (const auto& one : all_cases()) tested.insert(one.entry.mount() + " " + one.flow);
    for (const auto& entry : all_entries()) {
        BOOST_TEST(!entry.flows().empty(), entry.mount());
        for (const auto& flow : entry.flows()) BOOST_TEST(tested.contains(entry.mount() + " " + flow), entry.mount());
    }
}

BOOST_AUTO_TEST_SUITE_END()
