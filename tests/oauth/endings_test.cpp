#define BOOST_TEST_DYN_LINK
#include "oauth/endings.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::oauth {
namespace {

using namespace std::chrono_literals;

struct Endings {
    Time now = *vocabulary::read_time("2026-11-25T12:00:00Z");

    RunningClock living(ClockKind clock, Duration life) const {
        return {.clock = clock, .began = now, .ends = now + life};
    }
    /// How long before the end people are warned, all times.
    std::vector<Duration> marks(const RunningClock& clock) const {
        std::vector<Duration> found;
        for (auto next = next_warning(clock, {}); next; next = next_warning(clock, *next)) {
            found.push_back(clock.ends - *next);
        }
        return found;
    }
};

BOOST_FIXTURE_TEST_SUITE(warnings, Endings)

BOOST_AUTO_TEST_CASE(people_are_warned_a_month_a_week_and_a_day_before) {
    const std::vector<Duration> all = {30 * 24h, 7 * 24h, 24h};
    BOOST_TEST((marks(living(ClockKind::refresh_absolute, 365 * 24h)) == all));
    BOOST_TEST((marks(living(ClockKind::access_token, 120 * 24h)) == all));
    // Nobody knows since when a client secret lives.
    BOOST_TEST((marks({.clock = ClockKind::client_secret, .ends = now + 3 * 24h}) == all));
}

BOOST_AUTO_TEST_CASE(of_a_short_clock_nobody_is_warned_in_its_first_three_quarters) {
    BOOST_TEST((marks(living(ClockKind::refresh_absolute, 60 * 24h)) == std::vector<Duration>{7 * 24h, 24h}));
    BOOST_TEST((marks(living(ClockKind::access_token, 10h)) == std::vector<Duration>{1h}));
}

BOOST_AUTO_TEST_CASE(of_an_idle_refresh_token_nobody_is_warned_before_it_should_have_been_used) {
    for (const Duration life :
         {Duration(1h), Duration(24h), Duration(7 * 24h), Duration(60 * 24h), Duration(365 * 24h)}) {
        const auto all = marks(living(ClockKind::refresh_idle, life));
        BOOST_REQUIRE(!all.empty());
        const Clocks clocks{.got_at = now, .refresh_idle_ends = now + life, .can_refresh = true};
        for (std::uint64_t seed = 0; seed < 50; ++seed) {
            BOOST_TEST((*refresh_at(clocks, RefreshClass::rotating, now, seed) < now + life - all.front()));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_time_to_warn_comes_once) {
    const auto clock = living(ClockKind::refresh_absolute, 365 * 24h);
    BOOST_TEST(!last_warning(clock, now).has_value());
    const Time first = clock.ends - 30 * 24h;
    BOOST_TEST((next_warning(clock, now) == first));
    BOOST_TEST((last_warning(clock, first) == first));
    BOOST_TEST((last_warning(clock, first - 1ms) == std::nullopt));
    BOOST_TEST((next_warning(clock, first) == clock.ends - 7 * 24h));
    BOOST_TEST((last_warning(clock, clock.ends + 1h) == clock.ends - 24h)); // it has ended: that is still to be seen
    BOOST_TEST(!next_warning(clock, clock.ends).has_value());
}

BOOST_AUTO_TEST_CASE(the_names_of_clocks_are_found_again) {
    for (const auto clock :
         {ClockKind::access_token, ClockKind::refresh_idle, ClockKind::refresh_absolute, ClockKind::client_secret}) {
        BOOST_TEST((find_clock(name_of(clock)) == clock));
    }
    BOOST_TEST(!find_clock("lease").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::oauth
