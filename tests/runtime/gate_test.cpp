#define BOOST_TEST_DYN_LINK
#include "run_task.hpp"
#include "runtime/clock.hpp"
#include "runtime/gate.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace credlease::runtime {
namespace {

using namespace std::chrono_literals;
using Keys = std::vector<std::string>;

struct Fixture {
    Loop loop;
    HandClock clock{loop, WallTime{}};
    Gate gate{loop};
    TaskGroup group{loop};
    std::string order;

    /// Takes the keys, holds them for `time`, and writes `name` when it has them and in upper case when it leaves.
    Task<> change(char name, Keys keys, std::chrono::milliseconds time) {
        const auto pass = co_await gate.enter(std::move(keys));
        order += name;
        co_await clock.sleep_until(clock.boot() + time);
        order += static_cast<char>(name - 'a' + 'A');
    }
    void start(char name, Keys keys, std::chrono::milliseconds time = 10ms) {
        group.start(change(name, std::move(keys), time));
        run_ready(loop);
    }
    void pass_time(std::chrono::milliseconds by) {
        clock.advance(by);
        run_ready(loop);
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(gate_promises, Fixture)

BOOST_AUTO_TEST_CASE(changes_of_one_key_come_one_at_a_time_in_order) {
    start('a', {"cred:1"});
    start('b', {"cred:1"});
    start('c', {"cred:1"});
    BOOST_TEST(gate.waiting("cred:1") == 2U);
    for (int i = 0; i < 3; ++i) pass_time(10ms);
    BOOST_TEST(order == "aAbBcC");
    BOOST_TEST(group.size() == 0U);
    BOOST_TEST(gate.waiting("cred:1") == 0U);
}

BOOST_AUTO_TEST_CASE(changes_of_other_keys_do_not_wait) {
    start('a', {"cred:1"});
    start('b', {"cred:2"});
    BOOST_TEST(order == "ab");
}

BOOST_AUTO_TEST_CASE(keys_in_any_order_do_not_lock_each_other_out) {
    start('a', {"x"});
    start('b', {"x", "y"});
    start('c', {"y", "x"}); // would hold y for `b` to wait for, and wait for x behind it
    for (int i = 0; i < 3; ++i) pass_time(10ms);
    BOOST_TEST(order == "aAbBcC");
    BOOST_TEST(group.size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_key_named_twice_is_taken_once) {
    start('a', {"x", "x"});
    start('b', {"x"});
    pass_time(10ms);
    BOOST_TEST(order == "aAb");
}

BOOST_AUTO_TEST_CASE(a_key_is_free_again_after_its_last_holder) {
    start('a', {"x"});
    pass_time(10ms);
    start('b', {"x"});
    BOOST_TEST(order == "aAb");
}

BOOST_AUTO_TEST_CASE(no_latecomer_slips_past_who_was_let_in) {
    start('a', {"x"});
    start('b', {"x"});
    clock.advance(10ms); // `a` may leave, and hands over to `b`, in the next turns
    group.start(change('c', {"x"}, 10ms));
    run_ready(loop);
    BOOST_TEST(order == "aAb");
    pass_time(10ms);
    BOOST_TEST(order == "aAbBc");
}

BOOST_AUTO_TEST_CASE(who_is_cancelled_while_waiting_gets_nothing_and_blocks_nobody) {
    TaskGroup impatient(loop);
    start('a', {"y"});
    impatient.start(change('b', {"x", "y"}, 10ms)); // holds x, waits for y
    run_ready(loop);
    start('c', {"x"});
    BOOST_TEST(order == "a");
    impatient.cancel();
    run_ready(loop);
    BOOST_TEST(impatient.size() == 0U);
    BOOST_TEST(order == "ac");
    pass_time(10ms);
    start('d', {"x", "y"});
    BOOST_TEST(order == "acACd");
}

BOOST_AUTO_TEST_CASE(who_is_cancelled_just_after_being_let_in_passes_the_key_on) {
    TaskGroup impatient(loop);
    auto first = Gate::Pass{};
    auto take = [](Gate& at, Gate::Pass& pass) -> Task<> { pass = co_await at.enter({"x"}); };
    group.start(take(gate, first));
    run_ready(loop);
    impatient.start(change('b', {"x"}, 10ms));
    run_ready(loop);
    start('c', {"x"});
    first.leave(); // `b` is let in, but has not run yet
    impatient.cancel();
    run_ready(loop);
    BOOST_TEST(impatient.size() == 0U);
    BOOST_TEST(order.back() == 'c');
}

BOOST_AUTO_TEST_CASE(a_pass_leaves_once_however_it_is_moved) {
    Gate::Pass held;
    auto take = [](Gate& at, Gate::Pass& pass) -> Task<> {
        auto mine = co_await at.enter({"x"});
        pass = std::move(mine);
    };
    group.start(take(gate, held));
    run_ready(loop);
    start('b', {"x"});
    BOOST_TEST(order.empty());
    held.leave();
    held.leave();
    run_ready(loop);
    BOOST_TEST(order == "b");
}

BOOST_AUTO_TEST_CASE(waiters_of_a_stopped_loop_are_freed) {
    const Witness witness = make_witness();
    {
        Loop stopped;
        Gate its_gate(stopped);
        Gate::Pass held;
        TaskGroup tasks(stopped);
        auto wait = [](Gate& at, Gate::Pass& pass, Witness mine) -> Task<> {
            pass = co_await at.enter({"x"});
            mine.reset();
        };
        Gate::Pass second;
        tasks.start(wait(its_gate, held, {}));
        tasks.start(wait(its_gate, second, witness));
        run_ready(stopped);
        BOOST_TEST(witness.use_count() == 2);
    }
    BOOST_TEST(witness.use_count() == 1);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::runtime
