#define BOOST_TEST_DYN_LINK
#include "oauth/house.hpp"
#include "oauth/schedule.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <vector>

namespace credlease::oauth {
namespace {

using namespace std::chrono_literals;
using catalog::Meaning;

constexpr std::array every_class = {RefreshClass::fixed, RefreshClass::rotating, RefreshClass::single_use,
                                    RefreshClass::single_use_grace, RefreshClass::kills_access_token};

struct Schedule {
    Time now = *vocabulary::read_time("2026-11-25T12:00:00Z");

    Clocks hour() const { return {.got_at = now, .access_ends = now + 1h, .can_refresh = true}; }
};

/// How many of `due` fall into the fullest second.
std::size_t fullest_second(const std::vector<Time>& due) {
    std::map<std::chrono::sys_seconds, std::size_t> seconds;
    for (const Time each : due) ++seconds[std::chrono::floor<std::chrono::seconds>(each)];
    return std::ranges::max_element(seconds, {}, [](const auto& each) { return each.second; })->second;
}

BOOST_FIXTURE_TEST_SUITE(schedule, Schedule)

BOOST_AUTO_TEST_CASE(a_token_is_refreshed_well_before_its_end_and_not_soon_after_it_came) {
    for (const RefreshClass each : every_class) {
        for (std::uint64_t seed = 0; seed < 2000; ++seed) {
            const auto due = refresh_at(hour(), each, now, seed);
            BOOST_TEST_REQUIRE(due.has_value());
            const bool is_last_moment = each == RefreshClass::kills_access_token;
            BOOST_TEST_REQUIRE((*due <= now + 1h - (is_last_moment ? 60s : 300s)));
            BOOST_TEST_REQUIRE((*due > now + (is_last_moment ? 58min : 23min)));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_token_that_dies_soon_after_a_refresh_is_refreshed_so_late_that_it_lives_on) {
    Clocks clocks = hour();
    clocks.access_after_refresh = 10min; // Atlassian
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        const auto due = refresh_at(clocks, RefreshClass::single_use_grace, now, seed);
        BOOST_TEST((*due >= now + 50min && *due <= now + 55min));
    }
}

BOOST_AUTO_TEST_CASE(the_entrys_margin_is_kept_however_short_the_life) {
    Clocks clocks = hour();
    clocks.margin = 2h; // Slack's SDK refreshes so early; half of the life is the most
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        BOOST_TEST((*refresh_at(clocks, RefreshClass::rotating, now, seed) <= now + 30min));
        Clocks brief = hour();
        brief.access_ends = now + 3s;
        const auto due = refresh_at(brief, RefreshClass::single_use, now, seed);
        BOOST_TEST((*due > now && *due < now + 3s));
    }
}

BOOST_AUTO_TEST_CASE(a_token_of_a_moment_is_not_refreshed_by_itself_more_often_than_every_two_seconds) {
    for (const auto life : {1ms, 500ms, 1000ms, 2000ms}) {
        Clocks clocks = hour();
        clocks.access_ends = now + life;
        for (const RefreshClass each : every_class) {
            BOOST_TEST((*refresh_at(clocks, each, now, 7) == now + 2s));
            BOOST_TEST((*refresh_at(clocks, each, now + 400ms, 7) == now + 2s)); // a provider that takes its time
        }
    }
}

BOOST_AUTO_TEST_CASE(ten_thousand_tokens_of_one_hour_never_crowd_a_second) {
    // All come at one moment, the worst there is; then each is refreshed when it is due, ten times over.
    constexpr std::size_t count = 10'000;
    constexpr double mean = double{count} / 3600;
    std::vector<Clocks> all(count, hour());
    for (int round = 0; round < 10; ++round) {
        std::vector<Time> due(count);
        for (std::size_t i = 0; i < count; ++i) {
            due[i] = *refresh_at(all[i], RefreshClass::single_use, all[i].got_at, i);
            all[i].got_at = due[i] + std::chrono::milliseconds(i % 900); // the provider takes its time
            all[i].access_ends = all[i].got_at + (i % 2 == 0 ? 3600s : 3599s);
        }
        BOOST_TEST(fullest_second(due) <= 3 * mean, "round " << round << ": " << fullest_second(due));
    }
}

BOOST_AUTO_TEST_CASE(what_came_at_one_time_fills_all_of_the_time_between_two_refreshes_from_the_third_on) {
    constexpr std::size_t count = 10'000;
    std::vector<Clocks> all(count, hour());
    std::map<std::chrono::sys_time<std::chrono::minutes>, double> minutes;
    for (std::size_t i = 0; i < count; ++i) {
        while (all[i].got_at < now + 6h) {
            all[i].got_at = *refresh_at(all[i], RefreshClass::rotating, all[i].got_at, i);
            all[i].access_ends = all[i].got_at + 1h;
            ++minutes[std::chrono::floor<std::chrono::minutes>(all[i].got_at)];
        }
    }
    const double mean = double{count} / std::chrono::duration<double, std::ratio<60>>(period_of(1h, {})).count();
    for (Time minute = now + 2h; minute < now + 6h; minute += 1min) {
        const double refreshes = minutes[std::chrono::floor<std::chrono::minutes>(minute)];
        BOOST_TEST((refreshes > 0.9 * mean && refreshes < 1.1 * mean),
                   refreshes << " where " << mean << " is the mean");
    }
}

BOOST_AUTO_TEST_CASE(ten_thousand_tokens_that_came_at_any_time_never_crowd_a_second) {
    constexpr std::size_t count = 10'000;
    std::mt19937_64 random(7);
    std::vector<Time> due;
    for (std::size_t i = 0; i < count; ++i) {
        Clocks clocks = hour();
        clocks.got_at = now - std::chrono::milliseconds(random() % 3'600'000);
        clocks.access_ends = clocks.got_at + 1h;
        due.push_back(*refresh_at(clocks, RefreshClass::rotating, clocks.got_at, i));
    }
    BOOST_TEST(fullest_second(due) <= 3 * double{count} / 3600);
}

BOOST_AUTO_TEST_CASE(what_is_overdue_after_a_sleep_or_a_stop_is_spread_and_still_before_the_end) {
    std::vector<Time> dead;
    for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
        const auto due = refresh_at(hour(), RefreshClass::rotating, now + 5h, seed);
        BOOST_TEST_REQUIRE((*due >= now + 5h && *due <= now + 5h + 10min));
        dead.push_back(*due);
        const auto alive = refresh_at(hour(), RefreshClass::rotating, now + 58min, seed);
        BOOST_TEST_REQUIRE((*alive >= now + 58min && *alive <= now + 59min));
    }
    BOOST_TEST(fullest_second(dead) <= 20u);
}

BOOST_AUTO_TEST_CASE(what_can_not_be_refreshed_or_does_not_end_is_not) {
    Clocks clocks = hour();
    clocks.can_refresh = false;
    BOOST_TEST(!refresh_at(clocks, RefreshClass::none, now, 1).has_value());
    clocks = hour();
    clocks.access_ends = std::nullopt;
    BOOST_TEST(!refresh_at(clocks, RefreshClass::rotating, now, 1).has_value());
    clocks = hour();
    clocks.refresh_absolute_ends = now;
    BOOST_TEST(!refresh_at(clocks, RefreshClass::rotating, now, 1).has_value());
    clocks.refresh_absolute_ends = now + 1ms;
    BOOST_TEST(refresh_at(clocks, RefreshClass::rotating, now, 1).has_value());
}

BOOST_AUTO_TEST_CASE(an_idle_refresh_token_is_used_before_its_clock_runs_out) {
    Clocks clocks{
        .got_at = now, .refresh_idle_ends = now + 60 * 24h, .can_refresh = true}; // no end of the access token
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        const auto due = refresh_at(clocks, RefreshClass::single_use, now, seed);
        BOOST_TEST((*due <= now + 53 * 24h && *due >= now + 46 * 24h));
    }
    clocks.access_ends = now + 1h;
    BOOST_TEST((*refresh_at(clocks, RefreshClass::single_use, now, 1) < now + 1h));
}

BOOST_AUTO_TEST_CASE(failures_are_retried_ever_later_up_to_half_an_hour) {
    const Refusal refusal;
    Duration before{};
    for (std::uint32_t failures = 1; failures <= 12; ++failures) {
        for (std::uint64_t seed = 0; seed < 50; ++seed) {
            const Duration wait = retry_at(hour(), refusal, failures, now, seed) - now;
            const Duration exact = std::min<Duration>(5s * (1 << (failures - 1)), 30min);
            BOOST_TEST_REQUIRE((wait >= exact && wait <= exact + exact / 4));
        }
        const Duration wait = retry_at(hour(), refusal, failures, now, 0) - now;
        if (failures <= 9) BOOST_TEST((wait > before));
        before = wait;
    }
    BOOST_TEST((retry_at(hour(), refusal, 4'000'000'000, now, 3) - now <= 38min));
}

BOOST_AUTO_TEST_CASE(no_retry_comes_before_the_provider_wants_it) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        const Refusal refusal{.meaning = Meaning::rate_limited, .retry_after = 2h};
        BOOST_TEST((retry_at(hour(), refusal, 1, now, seed) >= now + 2h));
    }
}

BOOST_AUTO_TEST_CASE(too_early_waits_for_the_access_tokens_end_and_a_wrong_client_for_a_person) {
    BOOST_TEST((retry_at(hour(), {.meaning = Meaning::too_early}, 1, now, 1) == now + 1h + 1s));
    BOOST_TEST((retry_at(hour(), {.meaning = Meaning::too_early}, 1, now + 2h, 1) < now + 2h + 10s));
    BOOST_TEST((retry_at(hour(), {.meaning = Meaning::client}, 1, now, 1) >= now + 30min));
}

BOOST_AUTO_TEST_CASE(what_is_in_doubt_is_tried_as_its_class_allows) {
    const auto doubt = [&](RefreshClass each, Duration since = 1s) {
        return in_doubt_action(each, hour(), 10min, now - since, now);
    };
    for (const RefreshClass each : {RefreshClass::fixed, RefreshClass::rotating}) {
        BOOST_TEST((doubt(each).try_at == now));
        BOOST_TEST(!doubt(each).once);
    }
    BOOST_TEST((doubt(RefreshClass::single_use_grace).try_at == now));
    BOOST_TEST(!doubt(RefreshClass::single_use_grace).once);
    BOOST_TEST(doubt(RefreshClass::single_use_grace, 10min).once); // the old one may be dead by now
    BOOST_TEST((doubt(RefreshClass::kills_access_token).try_at == now));
    BOOST_TEST(!doubt(RefreshClass::kills_access_token).once);
    BOOST_TEST((doubt(RefreshClass::single_use).try_at == now + 1h)); // the live token is served to its end
    BOOST_TEST(doubt(RefreshClass::single_use).once);
    Clocks clocks = hour();
    clocks.access_ends = now - 1h;
    BOOST_TEST((in_doubt_action(RefreshClass::single_use, clocks, {}, now, now).try_at == now));
    clocks.access_ends = std::nullopt;
    BOOST_TEST(!in_doubt_action(RefreshClass::single_use, clocks, {}, now, now).try_at.has_value());
}

BOOST_AUTO_TEST_CASE(what_is_in_doubt_within_the_grace_is_tried_within_it_whatever_the_back_off) {
    const auto in_grace = in_doubt_action(RefreshClass::single_use_grace, hour(), 10min, now - 1min, now);
    BOOST_TEST((retry_in_doubt(in_grace, now + 5s, now) == now + 5s));
    BOOST_TEST((*retry_in_doubt(in_grace, now + 30min, now) < now + 9min));
    BOOST_TEST((*retry_in_doubt(in_grace, now + 30min, now) > now));
    const auto past = in_doubt_action(RefreshClass::single_use_grace, hour(), 10min, now - 10min, now);
    BOOST_TEST((retry_in_doubt(past, now + 30min, now) == now + 30min));
    const auto single = in_doubt_action(RefreshClass::single_use, hour(), 10min, now - 1min, now);
    BOOST_TEST((retry_in_doubt(single, now + 5s, now) == now + 1h));
    BOOST_TEST((retry_in_doubt(single, now + 2h, now) == now + 2h));
}

BOOST_FIXTURE_TEST_CASE(a_refresh_moves_the_idle_clock_and_never_the_absolute_one, House) {
    rules.clocks.refresh_idle = 90 * 24h;
    rules.clocks.refresh_absolute = 365 * 24h;
    const auto got = tokens(answer(200, R"({"access_token":"a","refresh_token":"r","expires_in":3600})"));
    const Clocks first = clocks_after(rules, RefreshClass::single_use_grace, true, got.slots[0], now, nullptr);
    BOOST_TEST((first.access_ends == now + 1h));
    BOOST_TEST((first.refresh_idle_ends == now + 90 * 24h));
    BOOST_TEST((first.refresh_absolute_ends == now + 365 * 24h));
    const Clocks next = clocks_after(rules, RefreshClass::single_use_grace, true, got.slots[0], now + 24h, &first);
    BOOST_TEST((next.refresh_idle_ends == now + 91 * 24h));
    BOOST_TEST((next.refresh_absolute_ends == now + 365 * 24h));
}

BOOST_FIXTURE_TEST_CASE(an_end_that_the_answer_names_goes_before_the_entrys, House) {
    rules.clocks.refresh_idle = 90 * 24h;
    rules.slots[0].refresh_expires_in_at = "/refresh_token_expires_in";
    const auto got =
        tokens(answer(200, R"({"access_token":"a","refresh_token":"r","refresh_token_expires_in":86400})"));
    BOOST_TEST(
        (clocks_after(rules, RefreshClass::rotating, true, got.slots[0], now, nullptr).refresh_idle_ends == now + 24h));
    const Clocks kept = clocks_after(rules, RefreshClass::fixed, true, got.slots[0], now, nullptr); // LinkedIn
    BOOST_TEST((kept.refresh_absolute_ends == now + 24h));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::oauth
