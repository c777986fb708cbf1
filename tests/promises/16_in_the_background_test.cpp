#define BOOST_TEST_DYN_LINK
#include "refresh_house.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <thread>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;

namespace {

double time_of(const Provider::Line& line) { return line.at("time").to_number<double>(); }

} // namespace

BOOST_AUTO_TEST_SUITE(in_the_background)

BOOST_AUTO_TEST_CASE(tokens_are_refreshed_before_they_end_and_not_all_at_once) {
    constexpr int lifetime = 10;
    constexpr int many = 30;
    RefreshHouse house(lifetime);
    std::vector<RefreshHouse::Connected> all;
    for (int i = 0; i < many; ++i) all.push_back(house.connect("c" + std::to_string(i), "rotating"));
    std::map<long, int> in_half_second;
    for (const auto& one : all) {
        BOOST_REQUIRE(house.wait_for_requests(one, 2)); // nobody asks for a lease
        const auto requests = house.requests(one);
        BOOST_TEST(time_of(requests[1]) < time_of(requests[0]) + lifetime, one.name);
        ++in_half_second[long(time_of(requests[1]) * 2)];
    }
    // They have nearly half of the life: no half second has three times its part of them, nor five more (a slow start).
    const auto& most = *std::ranges::max_element(in_half_second, {}, [](const auto& each) { return each.second; });
    BOOST_TEST(most.second <= 3 * many / 9 + 5);
    BOOST_TEST(in_half_second.size() > 3U);
}

BOOST_AUTO_TEST_CASE(a_lease_is_answered_from_the_live_token_while_it_is_refreshed) {
    RefreshHouse house(3600);
    const auto one = house.connect("one", "rotating");
    const auto token = house.token_of(one);
    house.misbehave("rotating", {{"do", "slow"}, {"before_ms", 2000}});
    std::jthread asks([&] {
        auto client = client_of(house.daemon);
        (void)house.refresh(client, one);
    });
    BOOST_REQUIRE(house.wait_for_a_held_request());
    BOOST_TEST(house.token_of(one) == token);
    BOOST_TEST(house.requests(one).size() == 1U); // the provider has not answered yet
    asks.join();
    BOOST_TEST(house.token_of(one) != token);
}

BOOST_AUTO_TEST_CASE(a_lease_waits_only_when_the_token_has_ended) {
    RefreshHouse house(4);
    const auto one = house.connect("one", "rotating");
    house.misbehave("rotating", {{"do", "status"}, {"status", 503}});
    house.misbehave("rotating", {{"do", "slow"}, {"nth", 2}, {"before_ms", 1000}});
    auto lease = house.client.lease({.credential = one.name});
    BOOST_REQUIRE(lease.ok());
    const auto token = secret_of(*lease, "access_token");
    BOOST_REQUIRE(house.becomes(one, "failing"));
    std::this_thread::sleep_until(lease->expires_at() +
                                  20ms); // the clocks of leases and tokens differ by a millisecond
    const auto newer = house.token_of(one);
    BOOST_TEST((!newer.empty() && newer != token));
    BOOST_TEST(house.requests(one).size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_provider_that_says_when_is_not_asked_before) {
    RefreshHouse house(3600);
    const auto one = house.connect("one", "rotating");
    constexpr int retry_after = 9; // later than the back-off's own first try
    house.misbehave("rotating", {{"do", "rate_limit"}, {"retry_after", retry_after}});
    const auto refused_at = std::chrono::system_clock::now();
    BOOST_TEST(house.refresh(one).code == "upstream_failed");
    BOOST_REQUIRE(house.wait_for_requests(one, 2));
    const std::chrono::duration<double> refused = refused_at.time_since_epoch();
    BOOST_TEST(time_of(house.requests(one)[1]) >= refused.count() + retry_after);
}

BOOST_AUTO_TEST_SUITE_END()
