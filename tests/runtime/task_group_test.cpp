#define BOOST_TEST_DYN_LINK
#include "run_task.hpp"
#include "runtime/clock.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <stdexcept>

namespace credlease::runtime {
namespace {

using namespace std::chrono_literals;
namespace this_coro = boost::asio::this_coro;

struct Fixture {
    Loop loop;
    HandClock clock{loop, WallTime{}};
    TaskGroup group{loop};
    int ended = 0;

    Task<> sleep(std::chrono::milliseconds time, Witness witness = {}) {
        co_await clock.sleep_until(clock.boot() + time);
        ++ended;
        witness.reset();
    }
    Task<> sleep_for_ever() {
        for (;;) co_await clock.sleep_until(clock.boot() + 1h);
    }
    static Task<> throw_runtime_error() {
        throw std::runtime_error("broken");
        co_return;
    }
    Task<> throw_when_cancelled() {
        co_await clock.sleep_until(clock.boot() + 1h);
        throw std::runtime_error("broken");
    }
    static Task<> throw_aborted() {
        throw boost::system::system_error(boost::asio::error::operation_aborted);
        co_return;
    }
    Task<> close_and_note(bool& closed) {
        co_await group.close();
        closed = true;
    }
    Task<> drain_and_note(bool& drained) {
        co_await group.drain();
        drained = true;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(task_group_promises, Fixture)

BOOST_AUTO_TEST_CASE(a_task_starts_now_on_the_loop_thread) {
    bool started = false;
    loop.post([&] {
        auto task = [](bool& flag) -> Task<> {
            flag = true;
            co_return;
        };
        group.start(task(started));
        BOOST_TEST(started);
        loop.stop();
    });
    loop.run();
    BOOST_TEST(started);
}

BOOST_AUTO_TEST_CASE(a_task_that_ended_leaves_the_group) {
    group.start(sleep(10ms));
    group.start(sleep(20ms));
    run_ready(loop);
    BOOST_TEST(group.size() == 2U);
    clock.advance(10ms);
    run_ready(loop);
    BOOST_TEST(group.size() == 1U);
    BOOST_TEST(ended == 1);
}

BOOST_AUTO_TEST_CASE(a_task_that_throws_stops_the_daemon) {
    group.start(throw_runtime_error());
    BOOST_CHECK_THROW(run_ready(loop), std::runtime_error);
    BOOST_TEST(group.size() == 0U);
}

BOOST_AUTO_TEST_CASE(an_abort_that_nobody_asked_for_stops_the_daemon) {
    group.start(throw_aborted());
    BOOST_CHECK_THROW(run_ready(loop), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(an_exception_of_a_cancelled_task_is_not_swallowed) {
    group.start(throw_when_cancelled());
    run_ready(loop);
    group.cancel();
    BOOST_CHECK_THROW(run_ready(loop), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(close_cancels_and_waits_for_all) {
    bool closed = false;
    group.start(sleep_for_ever());
    group.start(sleep(1h));
    run_ready(loop);
    run_task(loop, close_and_note(closed));
    BOOST_TEST(closed);
    BOOST_TEST(group.size() == 0U);
    BOOST_TEST(ended == 1);
}

BOOST_AUTO_TEST_CASE(close_waits_for_a_task_that_takes_its_time) {
    struct Slow {
        static Task<> run(HandClock& clock) {
            co_await this_coro::throw_if_cancelled(false);
            co_await clock.sleep_until(clock.boot() + 1s);
            co_await this_coro::reset_cancellation_state();
            co_await clock.sleep_until(clock.boot() + 1s); // what must still be done
        }
    };
    bool closed = false;
    TaskGroup closers(loop);
    group.start(Slow::run(clock));
    run_ready(loop);
    closers.start(close_and_note(closed));
    run_ready(loop);
    BOOST_TEST(!closed);
    clock.advance(1s);
    run_ready(loop);
    BOOST_TEST(closed);
}

BOOST_AUTO_TEST_CASE(an_empty_group_closes_at_once) {
    bool closed = false;
    run_task(loop, close_and_note(closed));
    BOOST_TEST(closed);
}

BOOST_AUTO_TEST_CASE(drain_waits_without_cancelling) {
    bool drained = false;
    TaskGroup waiters(loop);
    group.start(sleep(1s));
    waiters.start(drain_and_note(drained));
    run_ready(loop);
    BOOST_TEST(!drained);
    clock.advance(1s);
    run_ready(loop);
    BOOST_TEST(drained);
}

BOOST_AUTO_TEST_CASE(a_cancelled_task_can_still_close_its_own_group) {
    struct Session {
        static Task<> run(Loop& loop, HandClock& clock, bool& closed) {
            TaskGroup children(loop);
            children.start(clock.sleep_until(clock.boot() + 1h));
            co_await this_coro::throw_if_cancelled(false);
            co_await clock.sleep_until(clock.boot() + 1h);
            co_await children.close();
            closed = children.size() == 0;
        }
    };
    bool closed = false;
    group.start(Session::run(loop, clock, closed));
    run_ready(loop);
    group.cancel();
    run_ready(loop);
    BOOST_TEST(closed);
    BOOST_TEST(group.size() == 0U);
}

// asio's own bookkeeping of a task that never waited throws when the task is cancelled; its end must be told all the
// same.
BOOST_AUTO_TEST_CASE(a_task_that_cancels_its_own_group_without_waiting_ends) {
    struct Quitter {
        static Task<> run(TaskGroup& group) {
            group.cancel();
            co_return;
        }
    };
    loop.post([&] { group.start(Quitter::run(group)); });
    run_ready(loop);
    run_ready(loop);
    BOOST_TEST(group.size() == 0U);
}

BOOST_AUTO_TEST_CASE(tasks_of_a_stopped_loop_are_freed) {
    const Witness witness = make_witness();
    {
        Loop stopped;
        HandClock its_clock(stopped, WallTime{});
        TaskGroup tasks(stopped);
        auto sleeper = [](HandClock& when, Witness held) -> Task<> {
            co_await when.sleep_until(when.boot() + 1h);
            held.reset();
        };
        tasks.start(sleeper(its_clock, witness));
        run_ready(stopped);
        BOOST_TEST(witness.use_count() == 2);
    }
    BOOST_TEST(witness.use_count() == 1);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::runtime
