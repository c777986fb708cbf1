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
    /// From the loop thread: another thread has leases (it writes their records), until they are back. What has lined
    /// up lets them go first, though not for ever.
    void leases_leave();
    void leases_are_back();
    [[nodiscard]] boost::asio::io_context& context() { return context_; }

  private:
    void let_in_between();
    void run_behind_leases();
    void run_first();

    boost::asio::io_context context_;
    std::deque<std::function<void()>> line_; ///< destroyed before the context: a job may own a task
    bool are_leases_away_ = false;
    bool is_line_held_ = false; ///< until the leases are back
    int held_ = 0;              ///< how often, since a job of the line ran
};

} // namespace credlease::runtime
