#pragma once

#include <boost/asio/io_context.hpp>

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
    [[nodiscard]] boost::asio::io_context& context() { return context_; }

  private:
    boost::asio::io_context context_;
};

} // namespace credlease::runtime
