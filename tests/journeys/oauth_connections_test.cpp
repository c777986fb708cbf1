#define BOOST_TEST_DYN_LINK
#include "oauth_house.hpp"

using namespace credlease;
using namespace credlease::tests;
using boost::json::object;

namespace {

constexpr int tries = 20; ///< on a slow machine a connection may have waited too long for its next request

/// A credential of that class beside a provider that counts.
struct CountedHouse : OAuthHouse {
    explicit CountedHouse(const std::string& refresh_class)
        : OAuthHouse(object{{"refresh_class", refresh_class}}),
          id(connected("counted", {{"refresh_class", refresh_class}})) {}

    [[nodiscard]] Answered refresh() { return ask(client, "POST", "/v1/credentials/" + id + "/refresh", "{}"); }
    /// That the provider has taken.
    [[nodiscard]] int connections() const { return provider.control("/counters").at("connections").to_number<int>(); }
    /// How many connections were made for a refresh.
    [[nodiscard]] int refresh_and_count() {
        const int before = connections();
        BOOST_TEST(refresh().status == 200U);
        return connections() - before;
    }

    std::string id;
};

} // namespace

BOOST_AUTO_TEST_SUITE(oauth_connections)

BOOST_AUTO_TEST_CASE(refreshes_that_spend_nothing_go_over_one_connection) {
    for (const auto* refresh_class : {"static", "rotating"}) {
        CountedHouse house(refresh_class);
        int over_kept = 0;
        for (int i = 0; i < tries && over_kept < 2; ++i) over_kept += house.refresh_and_count() == 0 ? 1 : 0;
        BOOST_TEST(over_kept == 2, refresh_class);
        BOOST_TEST(house.provider.uses_of_spent_tokens().empty());
    }
}

BOOST_AUTO_TEST_CASE(a_refresh_that_spends_its_token_has_a_connection_of_its_own) {
    for (const auto* refresh_class : {"single_use", "single_use_grace", "kills_access_token"}) {
        CountedHouse house(refresh_class);
        for (int i = 0; i < 3; ++i) BOOST_TEST(house.refresh_and_count() == 1, refresh_class);
    }
}

BOOST_AUTO_TEST_CASE(a_code_has_a_connection_of_its_own) {
    CountedHouse house("static");
    const auto begun = house.authorize({{"credential", house.id}});
    const auto address = OAuthHouse::visit(OAuthHouse::text(begun.json, "authorize_url"));
    const int before = house.connections();
    BOOST_TEST(OAuthHouse::text(house.complete(begun, address).json, "state") == "connected");
    BOOST_TEST(house.connections() == before + 1);
}

BOOST_AUTO_TEST_CASE(a_provider_that_closes_a_kept_connection_fails_no_refresh_that_spends_nothing) {
    CountedHouse house("static");
    bool is_made_anew = false;
    for (int i = 0; i < tries && !is_made_anew; ++i) {
        BOOST_TEST(house.refresh().status == 200U);
        const auto requests = house.provider.token_requests().size();
        house.provider.misbehave({{"do", "drop_before"}});
        const auto refreshed = house.refresh();
        is_made_anew = refreshed.status == 200U && house.provider.token_requests().size() == requests + 2;
    }
    BOOST_TEST(is_made_anew);
    BOOST_TEST(house.show(house.id).at("oauth").at("failures").to_number<int>() == 0);
}

BOOST_AUTO_TEST_CASE(a_refresh_that_spends_its_token_is_sent_once_whatever_becomes_of_it) {
    CountedHouse house("single_use");
    BOOST_TEST(house.refresh().status == 200U);
    const auto requests = house.provider.token_requests().size();
    house.provider.misbehave({{"do", "drop_before"}});
    BOOST_TEST(house.refresh().code == "upstream_failed");
    BOOST_TEST(house.provider.token_requests().size() == requests + 1);
}

BOOST_AUTO_TEST_SUITE_END()
