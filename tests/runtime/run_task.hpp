#pragma once

#include "runtime/loop.hpp"
#include "runtime/task.hpp"
#include "runtime/task_group.hpp"

#include <utility>

namespace credlease::runtime {

inline Task<> stop_after(Loop& loop, Task<> task) {
    co_await std::move(task);
    loop.stop();
}

/// Runs `task` and the loop until it has ended; what it throws comes out here.
inline void run_task(Loop& loop, Task<> task) {
    TaskGroup group(loop);
    group.start(stop_after(loop, std::move(task)));
    loop.run();
}

/// Runs what is ready, without waiting for anything.
inline void run_ready(Loop& loop) {
    loop.context().restart();
    loop.context().poll();
}

/// Counts the coroutine frames and jobs that still hold a copy.
using Witness = std::shared_ptr<int>;
inline Witness make_witness() { return std::make_shared<int>(0); }

} // namespace credlease::runtime
