#define BOOST_TEST_DYN_LINK
#include "run_task.hpp"
#include "runtime/clock.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <ctime>
#include <string>
#include <sys/resource.h>
#include <thread>

namespace credlease::runtime {
namespace {

using namespace std::chrono_literals;

/// How often this thread went to sleep by itself.
long times_slept() {
    rusage usage{};
    ::getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
}

struct Fixture {
    Loop loop;
    std::unique_ptr<Clock> clock = make_system_clock(loop);
    TaskGroup group{loop};
    std::string order;

    std::function<void()> note(char what) {
        return [this, what] { order += what; };
    }
    void stop_at(BootTime when) {
        clock->call_at(when, [this] { loop.stop(); });
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(system_clock_promises, Fixture)

BOOST_AUTO_TEST_CASE(its_times_are_the_kernels) {
    timespec boot{};
    ::clock_gettime(CLOCK_BOOTTIME, &boot);
    BOOST_TEST((clock->boot().time_since_epoch() >= std::chrono::seconds(boot.tv_sec)));
    BOOST_TEST((clock->boot().time_since_epoch() <= std::chrono::seconds(boot.tv_sec + 60)));
    const auto wall = std::chrono::system_clock::now();
    BOOST_TEST((clock->wall() >= wall - 60s));
    BOOST_TEST((clock->wall() <= wall + 60s));
}

BOOST_AUTO_TEST_CASE(calls_come_in_order_and_never_early) {
    const auto now = clock->boot();
    BootTime came{};
    clock->call_at(now + 30ms, note('c'));
    clock->call_at(now + 10ms, note('a'));
    clock->call_at(now + 20ms, [&] {
        order += 'b';
        came = clock->boot();
    });
    stop_at(now + 40ms);
    loop.run();
    BOOST_TEST(order == "abc");
    BOOST_TEST((came >= now + 20ms));
}

BOOST_AUTO_TEST_CASE(an_earlier_call_does_not_wait_for_one_that_came_before_it) {
    const auto now = clock->boot();
    clock->call_at(now + 2s, note('b'));
    clock->call_at(now + 5ms, note('a'));
    stop_at(now + 10ms);
    loop.run();
    BOOST_TEST(order == "a");
}

BOOST_AUTO_TEST_CASE(a_call_whose_time_has_come_runs_in_a_later_turn) {
    clock->call_at(clock->boot() - 1ms, note('a'));
    clock->call_at(BootTime{}, note('b'));
    BOOST_TEST(order.empty());
    stop_at(clock->boot() + 5ms);
    loop.run();
    BOOST_TEST(order == "ba");
}

BOOST_AUTO_TEST_CASE(a_call_that_asks_for_now_again_and_again_lets_others_in) {
    bool other = false;
    std::function<void()> again = [&] {
        if (!other) clock->call_at(clock->boot(), again);
    };
    clock->call_at(clock->boot(), again);
    std::jthread outside([&] {
        loop.post([&] {
            other = true;
            loop.stop();
        });
    });
    loop.run();
    BOOST_TEST(other);
}

BOOST_AUTO_TEST_CASE(a_cancelled_call_never_comes_and_later_ones_do) {
    const auto now = clock->boot();
    const auto first = clock->call_at(now + 5ms, note('a'));
    clock->call_at(now + 15ms, note('b'));
    clock->cancel(first);
    stop_at(now + 20ms);
    loop.run();
    BOOST_TEST(order == "b");
}

BOOST_AUTO_TEST_CASE(a_sleeper_wakes_when_its_time_has_come) {
    const auto when = clock->boot() + 10ms;
    run_task(loop, clock->sleep_until(when));
    BOOST_TEST((clock->boot() >= when));
}

BOOST_AUTO_TEST_CASE(a_cancelled_sleeper_wakes_early) {
    group.start(clock->sleep_until(clock->boot() + 24h));
    run_ready(loop);
    run_task(loop, group.close());
    BOOST_TEST(group.size() == 0U);
}

BOOST_AUTO_TEST_CASE(nothing_wakes_while_nothing_is_due) {
    std::jthread outside([&] {
        std::this_thread::sleep_for(300ms);
        loop.post([&] { loop.stop(); });
    });
    clock->call_at(clock->boot() + 24h, note('a'));
    clock->cancel(clock->call_at(clock->boot() + 23h, note('b')));
    const long before = times_slept();
    loop.run();
    BOOST_TEST(times_slept() - before <= 3); // one sleep for the whole time; a clock that ticks would have dozens
}

BOOST_AUTO_TEST_CASE(calls_of_a_clock_that_has_gone_never_come) {
    const Witness witness = make_witness();
    clock->call_at(clock->boot(), [&, witness] { order += 'a'; });
    clock.reset();
    BOOST_TEST(witness.use_count() == 1);
    run_ready(loop);
    BOOST_TEST(order.empty());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::runtime
