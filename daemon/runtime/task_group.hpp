#pragma once

#include "runtime/loop.hpp"
#include "runtime/task.hpp"

#include <boost/asio/cancellation_signal.hpp>

#include <list>

namespace credlease::runtime {

/// The parent of tasks: none outlives it. A task that throws stops the daemon (an exception is a broken daemon).
class TaskGroup {
  public:
    explicit TaskGroup(Loop& loop) : loop_(loop) {}
    ~TaskGroup(); ///< the group must be empty (`close` was awaited) or the loop stopped

    /// Starts `task` now, on the loop thread.
    void start(Task<> task);
    /// Asks every task to end (asio cancellation, terminal).
    void cancel();
    /// Cancels, and waits until all have ended.
    [[nodiscard]] Task<> close();
    [[nodiscard]] std::size_t size() const { return tasks_.size(); }

  private:
    Loop& loop_;
    std::list<boost::asio::cancellation_signal> tasks_;
};

} // namespace credlease::runtime
