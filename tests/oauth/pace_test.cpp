#define BOOST_TEST_DYN_LINK
#include "oauth/pace.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

namespace credlease::oauth {
namespace {

using namespace std::chrono_literals;
using runtime::BootTime;

struct Paced {
    BootTime now{1h};

    /// Begins and ends requests as early as they may; the times of `count` of them.
    std::vector<BootTime> run(Pace& pace, std::size_t count) {
        std::vector<BootTime> begun;
        for (; begun.size() < count; now += 1ms) {
            if (pace.next() > now) continue;
            pace.begin(now);
            pace.end();
            begun.push_back(now);
        }
        return begun;
    }
};

BOOST_FIXTURE_TEST_SUITE(pace, Paced)

BOOST_AUTO_TEST_CASE(no_span_of_time_holds_more_requests_than_the_budget) {
    Pace pace({.requests = 10, .per = 1min, .at_once = 4});
    now += 7s;
    const auto begun = run(pace, 50);
    for (std::size_t i = 10; i < begun.size(); ++i) BOOST_TEST((begun[i] - begun[i - 10] >= 1min), i);
    BOOST_TEST((begun[9] - begun[0] < 1s)); // what is not used up is not held back
}

BOOST_AUTO_TEST_CASE(no_more_are_under_way_at_once_than_the_budget_allows) {
    Pace pace({.at_once = 2});
    pace.begin(now);
    BOOST_TEST((pace.next() <= now));
    pace.begin(now);
    BOOST_TEST((pace.next() == Pace::never));
    pace.end();
    BOOST_TEST((pace.next() <= now));
}

BOOST_AUTO_TEST_CASE(a_retry_after_holds_back_every_request) {
    Pace pace({.at_once = 4});
    pace.hold(now + 30s);
    pace.hold(now + 10s); // does not make it shorter
    BOOST_TEST((pace.next() == now + 30s));
    BOOST_TEST((pace.next_unasked() == now + 30s));
}

BOOST_AUTO_TEST_CASE(what_nobody_waits_for_is_kept_apart_and_holds_nobody_back) {
    Pace pace({.at_once = 1000});
    std::vector<BootTime> begun;
    for (const auto until = now + 10s; now < until; now += 1ms) {
        if (pace.next_unasked() > now) continue;
        pace.begin_unasked(now, 100ms);
        begun.push_back(now);
        BOOST_TEST_REQUIRE((pace.next() <= now));
    }
    BOOST_TEST(begun.size() >= 100u);
    BOOST_TEST(begun.size() <= 102u);
}

BOOST_AUTO_TEST_CASE(the_narrower_of_two_budgets_holds) {
    Pace pace({.at_once = 4});
    pace.narrow({.requests = 2, .per = 1min, .at_once = 1});
    pace.narrow({.requests = 100, .per = 1min, .at_once = 4});
    pace.narrow({.at_once = 4});
    pace.begin(now);
    BOOST_TEST((pace.next() == Pace::never));
    pace.end();
    pace.begin(now);
    pace.end();
    BOOST_TEST((pace.next() == now + 1min));
}

BOOST_AUTO_TEST_CASE(a_budget_counts_what_was_asked_for_before_a_restart) {
    Pace pace({.requests = 3, .per = 1min});
    for (const std::chrono::seconds ago : {10s, 50s, 3000s, 30s}) pace.note(now - ago);
    BOOST_TEST((pace.next() == now + 10s));
}

BOOST_AUTO_TEST_CASE(it_is_idle_once_it_has_nothing_to_remember) {
    Pace pace({.requests = 3, .per = 1min});
    BOOST_TEST((pace.idle_at() <= now));
    pace.begin(now);
    BOOST_TEST((pace.idle_at() == Pace::never));
    pace.end();
    BOOST_TEST((pace.idle_at() == now + 1min));
    pace.hold(now + 1h);
    BOOST_TEST((pace.idle_at() == now + 1h));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::oauth
