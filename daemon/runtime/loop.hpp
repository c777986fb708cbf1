#pragma once

#include <boost/asio/io_context.hpp>

#include <deque>
#include <functional>

namespace credlease::runtime {

/// The one thread that owns all state. Everything but Worker's jobs runs on it.
class Loop {
  public:
    Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// Runs until `stop`.
    void run();
    void stop();
    /// From any thread: runs `job` on the loop.
    void post(std::function<void()> job);
    /// Runs `job` once, after the handlers that are ready in this turn (used to flush what they staged).
    void at_end_of_turn(std::function<void()> job);
    /// From the loop thread: runs `job` after those that lined up before it, one in a turn, or a few of a long line.
    /// For work that comes in crowds and that nobody's lease waits for: whatever else has become ready goes in between.
    void line_up(std::function<void()> job);
    [[nodiscard]] boost::asio::io_context& context() { return context_; }

  private:
    void run_first();
    void let_in_between();

    boost::asio::io_context context_;
    std::deque<std::function<void()>> line_; ///< destroyed before the context: a job may own a task
};

} // namespace credlease::runtime
