#define BOOST_TEST_MODULE oauth_services
#define BOOST_TEST_DYN_LINK
#include "trial.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace data = boost::unit_test::data;
using namespace credlease;
using namespace credlease::tests;
using boost::json::object;

namespace {

constexpr int generations = 3;
void check_lease(Trial& trial, const std::string& id) {
    const auto held = trial.leased(id);
    const auto wanted = trial.expected(held.secrets);
    BOOST_TEST((held.fields == wanted.fields));
    BOOST_TEST((held.headers == wanted.headers));
    BOOST_TEST(held.base_url == wanted.base_url);
    BOOST_TEST(held.allowed_hosts == wanted.allowed_hosts, boost::test_tools::per_element());
    for (const auto& field : trial.token_fields(id)) BOOST_TEST(trial.token_of(id, field).at("live").as_bool());
}

/// Whose it is, and every clock that the entry tells of, are shown.
void check_shown(Trial& trial, const Case& one, const std::string& id) {
    const auto shown = trial.show(id);
    const auto& oauth = shown.at("oauth").as_object();
    BOOST_TEST(text_in(oauth, "account") == trial.account());
    BOOST_TEST(is_about(seconds_to(oauth.at("token_expires_at")), trial.lifetime("access")));
    for (const auto& token : oauth.at("tokens").as_array()) {
        BOOST_TEST(token.at("refreshable").as_bool() == (one.can_refresh() && !one.is_automatic()));
        if (one.is_automatic() || !one.can_refresh()) continue;
        auto absolute = one.entry.clock("refresh_absolute");
        // What an answer says of a token that stays the same is its end, however it is used.
        if (one.refresh_class() == "static" && trial.tells_refresh_end() && one.flow != "refresh_token") {
            absolute = trial.lifetime("refresh");
        }
        BOOST_TEST(is_about(seconds_to(token.at("refresh_idle_ends_at")), one.entry.clock("refresh_idle")));
        if (absolute) BOOST_TEST(is_about(seconds_to(token.at("refresh_ends_at")), absolute));
    }
}

void check_scopes(Trial& trial, const std::string& id) {
    for (const auto& field : trial.token_fields(id)) {
        const auto known = trial.token_of(id, field);
        std::set<std::string> scopes;
        for (const auto& scope : known.at("scopes").as_array()) scopes.emplace(scope.as_string());
        BOOST_TEST(scopes == trial.scopes(), boost::test_tools::per_element());
    }
}

/// One slot's tokens are the next ones; the others are what they were.
void refresh_once(Trial& trial, const std::string& id) {
    const auto fields = trial.token_fields(id);
    std::map<std::string, std::int64_t> before;
    for (const auto& field : fields) before[field] = trial.token_of(id, field).at("generation").as_int64();
    const auto requests = trial.token_requests();
    const auto answer = trial.refresh(id);
    BOOST_REQUIRE_MESSAGE(answer.status == 200U, answer.code);
    BOOST_TEST(trial.token_requests() == requests + 1);
    std::int64_t steps = 0;
    for (const auto& field : fields) {
        const auto known = trial.token_of(id, field);
        BOOST_TEST(known.at("live").as_bool());
        steps += known.at("generation").as_int64() - before[field];
    }
    BOOST_TEST(steps == 1);
}

} // namespace

BOOST_TEST_GLOBAL_FIXTURE(OneHouse);
BOOST_AUTO_TEST_SUITE(oauth_services)

BOOST_DATA_TEST_CASE(each_connects_is_leased_and_stays_fresh, data::make(all_cases()), one) {
    Trial trial(one);
    const auto id = trial.connected();
    BOOST_TEST(trial.status(id) == "active");
    check_lease(trial, id);
    if (one.flow != "refresh_token") check_scopes(trial, id);
    check_shown(trial, one, id);
    if (!one.can_refresh()) {
        const auto requests = trial.token_requests();
        BOOST_TEST(trial.refresh(id).status == 409U);
        BOOST_TEST(trial.token_requests() == requests);
        return;
    }
    const auto slots = one.is_automatic() ? 1 : trial.token_fields(id).size();
    for (std::size_t i = 0; i < generations * slots; ++i) {
        if (one.is_automatic()) {
            BOOST_TEST(trial.refresh(id).status == 200U); // each is a grant of its own
        } else {
            refresh_once(trial, id);
        }
    }
    check_lease(trial, id);
    BOOST_TEST(trial.refusals().empty());
    for (const auto& line : trial.refusals()) BOOST_TEST_MESSAGE(boost::json::serialize(line));
    BOOST_TEST(trial.uses_of_spent_tokens() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
