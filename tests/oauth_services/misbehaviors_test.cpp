#define BOOST_TEST_DYN_LINK
#include "trial.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <thread>

namespace data = boost::unit_test::data;
using namespace credlease;
using namespace credlease::tests;
using boost::json::object;

namespace {

constexpr long hours_ahead = 7200; ///< that a provider asks to wait

bool has_live_token(Trial& trial, const std::string& id) {
    return trial.token_of(id, trial.token_fields(id).front()).at("live").as_bool();
}

/// Of a class that is spent by one use it is not tried again while the live token, which may die of it, is good.
void waits_for_the_end(Trial& trial, const std::string& id) {
    const auto requests = trial.token_requests();
    BOOST_TEST(trial.refresh(id).code == "upstream_failed");
    BOOST_TEST(trial.token_requests() == requests);
    BOOST_TEST(has_live_token(trial, id));
}

/// The token that is there is leased on, and the next refresh makes it good; but where the last one may have been made.
void passes(Trial& trial, const Case& one, const std::string& id, bool may_be_spent) {
    BOOST_TEST(trial.refresh(id).code == "upstream_failed");
    BOOST_TEST(trial.status(id) == "failing");
    BOOST_TEST(has_live_token(trial, id));
    if (may_be_spent && one.refresh_class() == "single_use") return waits_for_the_end(trial, id);
    BOOST_TEST(trial.refresh(id).status == 200U);
    BOOST_TEST(trial.status(id) == "active");
    BOOST_TEST(has_live_token(trial, id));
}

void makes_no_difference(Trial& trial, const std::string& id) {
    BOOST_TEST(trial.refresh(id).status == 200U);
    BOOST_TEST(trial.status(id) == "active");
    BOOST_TEST(has_live_token(trial, id));
}

/// The grant is dead: nothing is leased, and nobody asks for it again; authorized anew it is the same credential.
void dies(Trial& trial, const Case& one, const std::string& id) {
    BOOST_TEST(trial.refresh(id).code == "credential_expired");
    BOOST_TEST(trial.status(id) == "expired");
    const auto refused = trial.lease(id);
    BOOST_TEST((!refused.ok() && refused.error().code == "credential_expired"));
    if (one.is_automatic()) return;
    const auto requests = trial.token_requests();
    BOOST_TEST(trial.refresh(id).code == "credential_expired");
    BOOST_TEST(trial.token_requests() == requests);
    BOOST_TEST(trial.authorize(id) == "connected");
    BOOST_TEST(trial.status(id) == "active");
    BOOST_TEST(has_live_token(trial, id));
}

/// The provider did it, and the answer is lost: what that costs is the class's (guarantee 7).
void is_in_doubt(Trial& trial, const Case& one, const std::string& id) {
    BOOST_TEST(trial.refresh(id).code == "upstream_failed");
    BOOST_TEST(trial.status(id) == "failing");
    BOOST_TEST(trial.lease(id).ok());
    const auto refresh_class = one.refresh_class();
    if (refresh_class == "single_use") return waits_for_the_end(trial, id);
    if (refresh_class != "kills_access_token") {
        makes_no_difference(trial, id);
        BOOST_TEST(trial.uses_of_spent_tokens() == 0U);
        return;
    }
    BOOST_TEST(trial.refresh(id).code == "credential_expired");
    const auto shown = trial.show(id);
    BOOST_TEST(text_in(shown, "status") == "expired");
    BOOST_TEST(text_in(shown, "status_reason").contains("its answer was lost"));
    BOOST_TEST(trial.uses_of_spent_tokens() == 1U);
}

/// A rule of the entry's error map, as what the provider says.
object refusal_by(const object& errors, const object& rule) {
    const auto error = text_in(rule, "error");
    object made = {
        {"do", "error"}, {"error", error.empty() || error == "*" ? "an_error" : error}, {"text", "So it is."}};
    if (const auto* status = rule.if_contains("status")) made["status"] = *status;
    const auto sub = text_in(rule, "sub_error");
    if (sub.empty()) return made;
    const bool is_number = sub.find_first_not_of("0123456789") == sub.npos;
    made["fields"] =
        object{{text_in(errors, "sub_at"), is_number ? boost::json::value(std::stoll(sub)) : boost::json::value(sub)}};
    return made;
}

/// Fields that lie in an answer of their own.
std::vector<std::string> asked_fields(const Entry& entry) {
    std::vector<std::string> made;
    for (const auto& each : entry.answer_fields()) {
        if (each.contains("url")) made.push_back(text_in(each, "field"));
    }
    return made;
}

void means(Trial& trial, const Case& one, const std::string& id, const object& rule) {
    const auto meaning = text_in(rule, "meaning");
    const auto* status = rule.if_contains("status");
    const bool may_be_spent = status != nullptr && status->to_number<int>() >= 500;
    if (meaning == "definitive") return dies(trial, one, id);
    if (meaning != "too_early") return passes(trial, one, id, may_be_spent);
    BOOST_TEST(trial.refresh(id).code == "upstream_failed");
    BOOST_TEST(is_about(seconds_to(trial.show(id).at("oauth").at("refresh_at")), trial.lifetime("access")));
}

/// Of an entry whose tokens are not refreshed a refusal comes at the consent alone.
bool is_refused_at_the_consent(const Case& one, const object& rule) {
    Trial trial(one);
    const auto id = trial.store();
    trial.misbehave(rule);
    const bool has_failed = trial.authorize(id) == "failed" && trial.status(id) == "pending";
    return has_failed && trial.authorize(id) == "connected";
}

} // namespace

BOOST_AUTO_TEST_SUITE(oauth_services)

BOOST_DATA_TEST_CASE(each_survives_what_a_provider_may_do, data::make(cases_of_first_flows()), one) {
    if (!one.can_refresh()) {
        BOOST_TEST(is_refused_at_the_consent(one, {{"do", "status"}, {"status", 503}}));
        return;
    }
    const auto try_it = [&](const object& rule, const auto& check) {
        BOOST_TEST_CONTEXT(boost::json::value(rule)) {
            Trial trial(one);
            const auto id = trial.connected();
            trial.misbehave(rule);
            check(trial, id);
        }
    };
    const auto in_doubt = [&](Trial& trial, const std::string& id) { is_in_doubt(trial, one, id); };
    const auto asks_to_wait = [](Trial& trial, const std::string& id) {
        BOOST_TEST(trial.refresh(id).code == "upstream_failed");
        BOOST_TEST(seconds_to(trial.show(id).at("oauth").at("refresh_at")).value_or(0) > hours_ahead / 2);
        BOOST_TEST(trial.refresh(id).code == "rate_limited"); // whoever asks
        BOOST_TEST(has_live_token(trial, id));
    };
    const auto entry_decides = [&](Trial& trial, const std::string& id) {
        makes_no_difference(trial, id);
        BOOST_TEST(is_about(seconds_to(trial.show(id).at("oauth").at("token_expires_at")), one.entry.clock("access")));
    };
    const auto dead = [&](Trial& trial, const std::string& id) { dies(trial, one, id); };
    const auto may_have_passed = [&](Trial& trial, const std::string& id) { passes(trial, one, id, true); };
    try_it({{"do", "slow"}, {"before_ms", 30}, {"after_ms", 30}}, makes_no_difference);
    try_it({{"do", "status"},
            {"status", 500},
            {"body", R"({"error":"invalid_grant"})"},
            {"content_type", "application/json"}},
           may_have_passed);
    try_it({{"do", "status"}, {"status", 200}, {"body", "<html>Sign in</html>"}, {"content_type", "text/html"}},
           may_have_passed);
    try_it({{"do", "drop_before"}}, may_have_passed);
    try_it({{"do", "rate_limit"}, {"retry_after", hours_ahead}}, asks_to_wait);
    try_it({{"do", "error"}, {"error", "invalid_grant"}, {"status", 200}}, dead);
    try_it({{"do", "drop_after"}}, in_doubt);
    try_it({{"do", "drop_in_middle"}}, in_doubt);
    try_it({{"do", "alter"}, {"pad", 300'000}}, in_doubt);
    try_it({{"do", "alter"}, {"content_type", "text/html"}}, makes_no_difference);
    try_it({{"do", "alter"}, {"expires_in", "absent"}}, entry_decides);
}

BOOST_DATA_TEST_CASE(each_of_its_errors_means_what_the_entry_says, data::make(cases_of_first_flows()), one) {
    const auto* errors = one.entry.oauth.if_contains("errors");
    if (errors == nullptr) return;
    for (const auto& each : errors->at("rules").as_array()) {
        BOOST_TEST_CONTEXT(each) {
            const auto rule = refusal_by(errors->as_object(), each.as_object());
            if (!one.can_refresh()) {
                BOOST_TEST(is_refused_at_the_consent(one, rule));
                continue;
            }
            Trial trial(one);
            const auto id = trial.connected();
            trial.misbehave(rule);
            means(trial, one, id, each.as_object());
        }
    }
}

BOOST_DATA_TEST_CASE(a_field_that_is_asked_for_by_itself_costs_no_token, data::make(cases_of_first_flows()), one) {
    const auto asked = asked_fields(one.entry);
    if (asked.empty()) return;
    Trial trial(one);
    const auto id = trial.store();
    trial.misbehave({{"do", "status"}, {"endpoint", "resource"}, {"status", 503}});
    BOOST_TEST(trial.authorize(id) == "connected");
    BOOST_TEST(trial.status(id) == "active");
    for (const auto& field : asked) BOOST_TEST(!trial.leased(id).fields.contains(field), field);
    BOOST_TEST(trial.refresh(id).status == 200U);
    for (int i = 0; i < 1000 && !trial.leased(id).fields.contains(asked.front()); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    const auto held = trial.leased(id);
    BOOST_TEST((held.fields == trial.expected(held.secrets).fields));
}

BOOST_DATA_TEST_CASE(each_is_revoked_upstream_where_its_provider_can_be_asked, data::make(cases_of_first_flows()),
                     one) {
    Trial trial(one);
    const auto id = trial.connected();
    const auto held = trial.leased(id);
    const auto fields = trial.token_fields(id);
    const auto answer = trial.ask("POST", "/v1/credentials/" + id + "/revoke", {{"upstream", true}});
    if (!one.entry.oauth.contains("revocation")) {
        BOOST_TEST(answer.code == "invalid_request");
        return;
    }
    BOOST_REQUIRE_MESSAGE(answer.status == 200U, answer.code);
    for (const auto& told : answer.json.at("upstream").as_array()) BOOST_TEST(told.at("ok").as_bool(), told);
    for (const auto& field : fields) BOOST_TEST(!trial.is_live(held.secrets.at(field)), field);
}

BOOST_AUTO_TEST_SUITE_END()
