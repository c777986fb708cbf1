#pragma once

#include "runtime/loop.hpp"
#include "runtime/suspend.hpp"
#include "runtime/task.hpp"

#include <list>
#include <memory>
#include <vector>

namespace credlease::runtime {

/// The parent of tasks: none outlives it. A task that throws stops the daemon (an exception is a broken daemon):
/// `Loop::run` throws it. A cancelled task's next `co_await` throws operation_aborted (asio's default), which the group
/// takes for its end.
class TaskGroup {
  public:
    explicit TaskGroup(Loop& loop) : loop_(loop) {}
    ~TaskGroup(); ///< the group must be empty (`close` was awaited) or the loop stopped
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    /// Starts `task` now, on the loop thread.
    void start(Task<> task);
    /// Asks every task to end (asio cancellation, terminal).
    void cancel();
    /// Cancels, and waits until all have ended. A task that was cancelled itself and must still wait for its own group
    /// says `co_await boost::asio::this_coro::throw_if_cancelled(false)` first.
    [[nodiscard]] Task<> close();
    /// Waits until all have ended by themselves.
    [[nodiscard]] Task<> drain();
    [[nodiscard]] std::size_t size() const { return tasks_.size(); }

  private:
    struct Started;
    using Tasks = std::list<std::shared_ptr<Started>>;
    void forget(Tasks::iterator task);

    Loop& loop_;
    Tasks tasks_;
    std::vector<Resume> waiting_; ///< for the last task to end
};

} // namespace credlease::runtime
