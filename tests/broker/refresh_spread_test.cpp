#define BOOST_TEST_DYN_LINK
#include "broker/refresh_schedule.hpp"
#include "oauth/schedule.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <queue>
#include <vector>

namespace credlease::broker {
namespace {

using namespace std::chrono_literals;
using vocabulary::CredentialId;
using vocabulary::Duration;
using vocabulary::Time;

constexpr std::size_t count = 10'000;
constexpr double mean = double{count} / 3600;

/// Ten thousand credentials with tokens of one hour at one provider, which takes its time and may be out of order.
struct Crowd {
    struct Grant {
        oauth::Clocks clocks{};
        Time due{};
        std::uint32_t failures = 0;
    };
    struct Answer {
        Time at{};
        std::size_t of = 0;
        auto operator<=>(const Answer&) const = default;
    };

    vocabulary::Scope scope = vocabulary::Scope::organization();
    Time begun = *vocabulary::read_time("2026-11-25T12:00:00Z");
    Time wall = begun;
    std::vector<Grant> grants{count};
    ExchangeShares shares{400'000};
    std::unique_ptr<RefreshSchedule> schedule = std::make_unique<RefreshSchedule>(shares);
    std::priority_queue<Answer, std::vector<Answer>, std::greater<>> under_way;
    std::map<std::chrono::sys_seconds, std::size_t> seconds; ///< token requests
    Time works_from{};                                       ///< the provider refuses until then
    std::size_t ended = 0;                                   ///< tokens, before their refresh came

    static CredentialId id_of(std::size_t number) { return CredentialId(vocabulary::Ulid{.high = 7, .low = number}); }
    runtime::BootTime boot() const { return runtime::BootTime((wall - begun) + 1h); }
    RefreshSchedule::When when(const Grant& grant) const {
        return {.at = grant.due, .period = oauth::period_of(1h, {}), .is_late = *grant.clocks.access_ends <= wall};
    }
    void connect(std::size_t number) {
        auto& grant = grants[number];
        grant.clocks = {.got_at = wall, .access_ends = wall + 1h, .can_refresh = true};
        const auto seed = schedule->seed_of(scope, id_of(number));
        grant.due = *oauth::refresh_at(grant.clocks, oauth::RefreshClass::single_use, wall, seed);
        grant.failures = 0;
    }
    void connect_all() {
        for (std::size_t i = 0; i < count; ++i) {
            connect(i);
            schedule->plan(scope, id_of(i), {}, when(grants[i]));
        }
    }
    void answer(std::size_t number) {
        auto& grant = grants[number];
        const bool is_ok = wall >= works_from;
        if (is_ok && *grant.clocks.access_ends <= wall) ++ended;
        std::ignore = schedule->end(id_of(number), is_ok, boot());
        if (is_ok) {
            connect(number);
        } else {
            const auto seed = schedule->seed_of(scope, id_of(number));
            grant.due = oauth::retry_at(grant.clocks, {}, ++grant.failures, wall, seed);
        }
        schedule->plan(scope, id_of(number), {}, when(grant));
    }
    void run(Duration time) {
        for (const Time until = wall + time; wall < until;) {
            while (!under_way.empty() && under_way.top().at <= wall) {
                const auto number = under_way.top().of;
                under_way.pop();
                answer(number);
            }
            while (const auto turn = schedule->take(wall, boot())) {
                ++seconds[std::chrono::floor<std::chrono::seconds>(wall)];
                under_way.push({.at = wall + 150ms, .of = turn->id.value().low});
            }
            Duration next = schedule->wait(wall, boot()).value_or(1s);
            if (!under_way.empty()) next = std::min(next, under_way.top().at - wall);
            wall += std::clamp<Duration>(next, 1ms, 1s);
        }
    }
    /// The broker does not run for so long.
    void restart(Duration time) {
        under_way = {};
        wall += time;
        schedule = std::make_unique<RefreshSchedule>(shares);
        const auto late = std::ranges::count_if(
            grants, [this](const Grant& grant) { return when(grant).is_late && grant.due <= wall; });
        const auto room = RefreshSchedule::catching_up(static_cast<std::size_t>(late));
        for (std::size_t i = 0; i < count; ++i) {
            schedule->plan_anew(scope, id_of(i), {}, when(grants[i]), wall, room);
        }
    }
    [[nodiscard]] std::size_t fullest() const {
        return std::ranges::max_element(seconds, {}, [](const auto& each) { return each.second; })->second;
    }
    [[nodiscard]] std::size_t requests() const {
        std::size_t all = 0;
        for (const auto& [second, some] : seconds) all += some;
        return all;
    }
};

BOOST_FIXTURE_TEST_SUITE(refresh_spread, Crowd)

BOOST_AUTO_TEST_CASE(what_was_connected_at_one_time_never_crowds_a_second_and_no_token_ends) {
    connect_all();
    run(4h);
    BOOST_TEST(fullest() <= 3 * mean, "in one second: " << fullest());
    BOOST_TEST(requests() >= 4 * count);
    BOOST_TEST(requests() <= 6 * count);
    BOOST_TEST(ended == 0U);
}

BOOST_AUTO_TEST_CASE(a_restart_crowds_no_second_and_no_token_ends) {
    connect_all();
    run(90min);
    for (const auto& time : {2s, 120s, 30s}) {
        restart(time);
        run(20min);
    }
    BOOST_TEST(fullest() <= 3 * mean, "in one second: " << fullest());
    BOOST_TEST(ended == 0U);
}

BOOST_AUTO_TEST_CASE(after_an_hour_without_a_broker_all_are_refreshed_within_the_hour_and_no_second_is_crowded) {
    connect_all();
    run(90min);
    restart(1h);
    const auto before = requests();
    run(1h);
    BOOST_TEST(requests() >= before + count);
    run(2h);
    BOOST_TEST(fullest() <= 3 * mean, "in one second: " << fullest());
    BOOST_TEST(ended == count);
}

BOOST_AUTO_TEST_CASE(after_an_hour_without_a_provider_all_are_refreshed_within_the_hour_and_no_second_is_crowded) {
    connect_all();
    run(90min);
    works_from = wall + 1h;
    run(2h);
    BOOST_TEST(std::ranges::all_of(grants, [this](const Grant& grant) { return *grant.clocks.access_ends > wall; }));
    run(2h);
    BOOST_TEST(fullest() <= 3 * mean, "in one second: " << fullest());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::broker
