#define BOOST_TEST_DYN_LINK
#include "broker/token_times.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::broker {
namespace {

using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(token_times)

BOOST_AUTO_TEST_CASE(durations_are_counted_with_their_quantiles_to_a_step) {
    Durations times;
    BOOST_TEST((times.quantile(0.99) == 0ms));
    for (int i = 0; i < 98; ++i) times.add(3ms);
    times.add(40ms);
    times.add(700ms);
    BOOST_TEST(times.count() == 100u);
    BOOST_TEST((times.sum() == 98 * 3ms + 740ms));
    BOOST_TEST((times.last() == 700ms && times.most() == 700ms));
    BOOST_TEST((times.quantile(0.5) == 4ms));
    BOOST_TEST((times.quantile(0.99) == 64ms));
    BOOST_TEST((times.quantile(1) == 700ms)); // not the step's end: nothing took so long
    std::uint64_t all = 0;
    for (const auto in_step : times.in_step()) all += in_step;
    BOOST_TEST(all == 100u);
}

BOOST_AUTO_TEST_CASE(what_takes_longer_than_any_step_is_counted_too) {
    Durations times;
    times.add(24h);
    BOOST_TEST((times.quantile(0.5) == 24h));
    times.add(-5ms); // no clock runs backward
    BOOST_TEST((times.last() == 0ms));
}

BOOST_AUTO_TEST_CASE(only_a_refresh_that_kills_the_live_token_counts_as_a_time_of_refusal) {
    TokenTimes times;
    times.note("gitlab", {.since_request = 80ms, .since_answer = 5ms, .kills_access_token = true});
    times.note("google", {.since_request = 90ms, .since_answer = 6ms});
    BOOST_TEST((times.last_refused("gitlab") == 80ms));
    BOOST_TEST(!times.last_refused("google").has_value());
    BOOST_TEST(!times.last_refused("slack").has_value());
    BOOST_TEST(times.by_service().at("google").until_durable.count() == 1u);
    BOOST_TEST((times.by_service().at("gitlab").until_durable.last() == 5ms));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::broker
