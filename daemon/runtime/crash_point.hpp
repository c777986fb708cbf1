#pragma once

#include <string_view>

namespace credlease::runtime {

/// A named step at which a build for tests dies as by kill -9, when its test asks for that
/// (tests/support/daemon/crash_point.cpp). In every other build it is nothing.
#ifdef CREDLEASE_CRASH_POINTS
void crash_point(std::string_view step);
#else
inline void crash_point(std::string_view /*step*/) {}
#endif

} // namespace credlease::runtime
