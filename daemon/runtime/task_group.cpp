#include "runtime/task_group.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <utility>

namespace credlease::runtime {

namespace this_coro = boost::asio::this_coro;

/// Shared by the group and the task itself, so that neither reaches into the other once it has gone.
struct TaskGroup::Started {
    explicit Started(TaskGroup& parent) : group(&parent) {}

    boost::asio::cancellation_signal signal;
    TaskGroup* group; ///< null once the group has gone
    Tasks::iterator place{};
    bool cancelled = false;
};

namespace {

bool is_abort(const boost::system::system_error& error) {
    return error.code() == boost::asio::error::operation_aborted;
}

/// Runs `task`; operation_aborted is how a task ends that was asked to.
Task<> run_to_end(Task<> task, const bool& cancelled) {
    std::exception_ptr failure;
    try {
        co_await std::move(task);
    } catch (const boost::system::system_error& error) {
        if (!cancelled || !is_abort(error)) failure = std::current_exception();
    } catch (...) {
        failure = std::current_exception();
    }
    // Without this, asio's own last co_await of a task that cancelled its group without ever waiting would throw, and
    // the task's end would never be told.
    co_await this_coro::throw_if_cancelled(false);
    if (failure) std::rethrow_exception(failure);
}

} // namespace

// What is left belongs to a stopped loop and is destroyed with it. It isn't cancelled here: its sockets may be gone
// already.
TaskGroup::~TaskGroup() {
    for (const auto& task : tasks_) task->group = nullptr;
}

void TaskGroup::start(Task<> task) {
    auto started = std::make_shared<Started>(*this);
    started->place = tasks_.insert(tasks_.end(), started);
    auto ended = [started, &loop = loop_](const std::exception_ptr& failure) {
        if (started->group != nullptr) started->group->forget(started->place);
        if (failure) loop.post([failure] { std::rethrow_exception(failure); });
    };
    boost::asio::co_spawn(loop_.context(), run_to_end(std::move(task), started->cancelled),
                          boost::asio::bind_cancellation_slot(started->signal.slot(), std::move(ended)));
}

void TaskGroup::forget(Tasks::iterator task) {
    tasks_.erase(task);
    if (!tasks_.empty()) return;
    for (const auto& resume : std::exchange(waiting_, {})) resume();
}

void TaskGroup::cancel() {
    // A copy: a task may end, and leave the list, while it is told.
    const Tasks told = tasks_;
    for (const auto& task : told) {
        task->cancelled = true;
        task->signal.emit(boost::asio::cancellation_type::terminal);
    }
}

Task<> TaskGroup::close() {
    cancel();
    return drain();
}

Task<> TaskGroup::drain() {
    const bool throwing = co_await this_coro::throw_if_cancelled();
    co_await this_coro::throw_if_cancelled(false);
    while (!tasks_.empty()) {
        co_await suspend(loop_, [this](Resume resume) { waiting_.push_back(std::move(resume)); });
    }
    co_await this_coro::throw_if_cancelled(throwing);
}

} // namespace credlease::runtime
