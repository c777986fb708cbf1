#pragma once

#include "support/daemon/daemon.hpp"
#include "support/temporary_folder.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>

namespace credlease::tests {

/// The wall clock of one daemon, which a test sets: `set_clock.cpp` obeys it inside the daemon. It is the same over
/// restarts. The boot clock is the machine's.
class WallClock {
  public:
    WallClock();
    ~WallClock();
    WallClock(const WallClock&) = delete;
    WallClock& operator=(const WallClock&) = delete;

    /// A daemon with this clock.
    [[nodiscard]] Daemon::Setup setup() const;
    /// Forward, or back; a daemon that runs is told as the kernel does.
    void move(std::chrono::seconds by) const;

  private:
    test::TemporaryFolder folder_;
    std::atomic<std::int64_t>* ahead_ = nullptr; ///< seconds, in memory that is shared with the daemon
    int told_ = -1;                              ///< a pipe to it
};

} // namespace credlease::tests
