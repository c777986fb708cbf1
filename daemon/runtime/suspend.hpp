#pragma once

#include "runtime/loop.hpp"
#include "runtime/task.hpp"

#include <functional>

namespace credlease::runtime {

/// Lets a parked task go on, in a later turn of the loop. Only its first call counts. Called on the loop thread.
using Resume = std::function<void()>;

/// Parks the calling task: `start` gets what resumes it. When the task is cancelled meanwhile, `on_cancel` decides
/// whether to resume it; without one the task stays parked. Whoever drops the last copy of an unused Resume destroys
/// the task, so none may be kept in the task itself.
[[nodiscard]] Task<> suspend(Loop& loop, std::function<void(Resume)> start,
                             std::function<void(Resume)> on_cancel = nullptr);

/// Lets the calling task go on when its place in the loop's line has come (Loop::line_up).
[[nodiscard]] Task<> give_way(Loop& loop);

} // namespace credlease::runtime
