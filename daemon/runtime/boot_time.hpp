#pragma once

#include <chrono>

namespace credlease::runtime {

/// CLOCK_BOOTTIME: suspend counts (clock_gettime(2)). Deadlines run on it.
using BootTime = std::chrono::time_point<struct BootClock, std::chrono::milliseconds>;

} // namespace credlease::runtime
