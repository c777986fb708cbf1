#include "runtime/loop.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <sched.h>
#include <utility>

namespace credlease::runtime {

// Hint 1: one thread runs the loop, any thread may post to it. (BOOST_ASIO_CONCURRENCY_HINT_UNSAFE would drop the lock
// that a worker's post needs.)
Loop::Loop() : context_(1) {}

void Loop::run() {
    const auto stay = boost::asio::make_work_guard(context_);
    context_.run();
    context_.restart();
}

void Loop::stop() { context_.stop(); }

void Loop::post(std::function<void()> job) { boost::asio::post(context_, std::move(job)); }

// What is posted from a handler runs behind all handlers that are ready, and behind one more look at what has become
// ready.
void Loop::at_end_of_turn(std::function<void()> job) { post(std::move(job)); }

void Loop::line_up(std::function<void()> job) {
    line_.push_back(std::move(job));
    if (line_.size() == 1) let_in_between();
}

// The first look finds what has become ready, and the second turn is behind that. Linux wakes a thread on the CPU of
// its waker and lets that one go on for milliseconds: the worker that writes a lease's record, and whoever got an
// answer, get the CPU by sched_yield(2).
void Loop::let_in_between() {
    at_end_of_turn([this] {
        ::sched_yield();
        at_end_of_turn([this] {
            ::sched_yield();
            run_behind_leases();
        });
    });
}

// A step of a refresh takes longer than the log takes to write: begun meanwhile, it would hold up the answers. Where
// leases come without a pause the log is always at work, so the line goes on all the same after a few writes.
void Loop::run_behind_leases() {
    constexpr int most = 3;
    is_line_held_ = are_leases_away_ && held_ < most;
    if (is_line_held_) {
        ++held_;
    } else {
        held_ = 0;
        run_first();
    }
}

void Loop::leases_leave() { are_leases_away_ = true; }

void Loop::leases_are_back() {
    are_leases_away_ = false;
    if (!std::exchange(is_line_held_, false)) return;
    at_end_of_turn([this] { // behind their answers
        ::sched_yield();
        run_behind_leases();
    });
}

// One, or a few of a line that grows: leases that are asked for without an end do not hold it up for as long. A line
// that is long at five keeps up with 500 refreshes a second, four places each, beside 64 connections without a pause.
void Loop::run_first() {
    constexpr std::size_t long_line = 5, most = 4;
    for (auto count = std::min(1 + line_.size() / long_line, most); count > 0; --count) {
        std::exchange(line_.front(), nullptr)(); // it stays in line: what it lines up itself comes in a later turn
        line_.pop_front();
    }
    if (!line_.empty()) let_in_between();
}

} // namespace credlease::runtime
