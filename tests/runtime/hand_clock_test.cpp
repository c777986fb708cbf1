#define BOOST_TEST_DYN_LINK
#include "run_task.hpp"
#include "runtime/clock.hpp"
#include "runtime/sleep.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdlib>
#include <string>

namespace credlease::runtime {
namespace {

using namespace std::chrono_literals;

struct Fixture {
    Loop loop;
    HandClock clock{loop, WallTime(1000h)};
    TaskGroup group{loop};
    std::string order;

    std::function<void()> note(char what) {
        return [this, what] { order += what; };
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(hand_clock_promises, Fixture)

BOOST_AUTO_TEST_CASE(it_stands_still_until_it_is_told) {
    const auto boot = clock.boot();
    BOOST_TEST((clock.wall() == WallTime(1000h)));
    clock.advance(5s);
    BOOST_TEST((clock.boot() - boot == 5s));
    BOOST_TEST((clock.wall() == WallTime(1000h + 5s)));
}

BOOST_AUTO_TEST_CASE(calls_run_in_order_of_time_then_of_coming) {
    const auto now = clock.boot();
    clock.call_at(now + 30ms, note('d'));
    clock.call_at(now + 10ms, note('a'));
    clock.call_at(now + 20ms, note('b'));
    clock.call_at(now + 20ms, note('c'));
    clock.advance(29ms);
    BOOST_TEST(order == "abc");
    clock.advance(1ms);
    BOOST_TEST(order == "abcd");
}

BOOST_AUTO_TEST_CASE(a_call_sees_the_time_that_it_asked_for) {
    const auto when = clock.boot() + 10ms;
    BootTime seen{};
    WallTime wall{};
    clock.call_at(when, [&] {
        seen = clock.boot();
        wall = clock.wall();
    });
    clock.advance(1s);
    BOOST_TEST((seen == when));
    BOOST_TEST((wall == WallTime(1000h + 10ms)));
}

BOOST_AUTO_TEST_CASE(a_call_that_calls_again_runs_as_often_as_time_allows) {
    std::function<void()> again = [&] {
        order += '.';
        clock.call_at(clock.boot() + 1s, again);
    };
    clock.call_at(clock.boot() + 1s, again);
    clock.advance(5s);
    BOOST_TEST(order == ".....");
}

BOOST_AUTO_TEST_CASE(a_cancelled_call_never_comes) {
    const auto first = clock.call_at(clock.boot() + 10ms, note('a'));
    const auto second = clock.call_at(clock.boot() + 10ms, note('b'));
    BOOST_TEST(first != 0U);
    BOOST_TEST(second != first);
    clock.cancel(first);
    clock.cancel(first);
    clock.cancel(0);
    clock.advance(1s);
    BOOST_TEST(order == "b");
}

BOOST_AUTO_TEST_CASE(a_call_may_cancel_another_that_is_due_too) {
    std::uint64_t second = 0;
    clock.call_at(clock.boot() + 1ms, [&] { clock.cancel(second); });
    second = clock.call_at(clock.boot() + 1ms, note('b'));
    clock.advance(1s);
    BOOST_TEST(order.empty());
}

BOOST_AUTO_TEST_CASE(a_call_whose_time_has_come_runs_in_a_later_turn) {
    clock.call_at(clock.boot(), note('a'));
    BOOST_TEST(order.empty());
    run_ready(loop);
    BOOST_TEST(order == "a");
}

BOOST_AUTO_TEST_CASE(the_wall_clock_can_be_set_alone) {
    const auto boot = clock.boot();
    clock.set_wall(WallTime(1h));
    BOOST_TEST((clock.wall() == WallTime(1h)));
    BOOST_TEST((clock.boot() == boot));
}

BOOST_AUTO_TEST_CASE(who_asked_is_told_on_the_loop_that_the_wall_clock_was_set) {
    clock.set_wall(WallTime(1h));
    clock.on_set(note('s'));
    clock.advance(1h);
    run_ready(loop);
    BOOST_TEST(order.empty());
    clock.set_wall(WallTime(2h));
    BOOST_TEST(order.empty());
    run_ready(loop);
    BOOST_TEST(order == "s");
    clock.on_set({});
    clock.set_wall(WallTime(3h));
    run_ready(loop);
    BOOST_TEST(order == "s");
}

BOOST_AUTO_TEST_CASE(a_sleeper_wakes_when_its_time_has_come) {
    bool woke = false;
    auto sleeper = [](HandClock& on, bool& flag) -> Task<> {
        co_await on.sleep_until(on.boot() + 10ms);
        flag = true;
    };
    group.start(sleeper(clock, woke));
    run_ready(loop);
    clock.advance(9ms);
    run_ready(loop);
    BOOST_TEST(!woke);
    clock.advance(1ms);
    run_ready(loop);
    BOOST_TEST(woke);
}

BOOST_AUTO_TEST_CASE(a_cancelled_sleeper_wakes_early_and_nothing_is_thrown_there) {
    bool woke = false;
    auto sleeper = [](HandClock& on, bool& flag) -> Task<> {
        co_await on.sleep_until(on.boot() + 1h);
        flag = true;
    };
    group.start(sleeper(clock, woke));
    run_ready(loop);
    group.cancel();
    run_ready(loop);
    BOOST_TEST(woke);
    BOOST_TEST(group.size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_cancelled_sleeper_leaves_no_call_behind) {
    struct Recording final : Clock {
        [[nodiscard]] WallTime wall() const override { return {}; }
        [[nodiscard]] BootTime boot() const override { return {}; }
        std::uint64_t call_at(BootTime, std::function<void()> job) override {
            kept = std::move(job);
            return 7;
        }
        void cancel(std::uint64_t call) override { cancelled = call; }
        [[nodiscard]] Task<> sleep_until(BootTime) override { std::abort(); }
        void on_set(std::function<void()>) override { std::abort(); }
        std::function<void()> kept;
        std::uint64_t cancelled = 0;
    };
    Recording recording;
    group.start(sleep_on(recording, loop, BootTime{}));
    run_ready(loop);
    BOOST_TEST(recording.cancelled == 0U);
    group.cancel();
    run_ready(loop);
    BOOST_TEST(recording.cancelled == 7U);
}

BOOST_AUTO_TEST_CASE(a_cancelled_loop_of_sleeps_ends) {
    auto sleeper = [](HandClock& on) -> Task<> {
        for (;;) co_await on.sleep_until(on.boot() + 1s);
    };
    group.start(sleeper(clock));
    run_ready(loop);
    clock.advance(1s);
    run_ready(loop);
    BOOST_TEST(group.size() == 1U);
    group.cancel();
    run_ready(loop);
    BOOST_TEST(group.size() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::runtime
