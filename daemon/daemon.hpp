#pragma once

namespace credlease {

/// credleased: reads flags and settings, owns one of everything, runs it. Returns the exit status: 0, 1 (refused) or 2
/// (usage).
int run_daemon(int count, const char* const* arguments);

} // namespace credlease
