#pragma once

#include "runtime/clock.hpp"

namespace credlease::runtime {

/// What every clock's `sleep_until` does.
[[nodiscard]] Task<> sleep_on(Clock& clock, Loop& loop, BootTime when);

} // namespace credlease::runtime
