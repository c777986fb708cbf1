#pragma once

#include "runtime/loop.hpp"
#include "runtime/task.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>

namespace credlease::runtime {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
/// CLOCK_BOOTTIME: suspend counts (clock_gettime(2)). Deadlines run on it.
using BootTime = std::chrono::time_point<struct BootClock, std::chrono::milliseconds>;

/// What time it is, and waiting for it. Tests drive it by hand.
class Clock {
  public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual WallTime wall() const = 0;
    [[nodiscard]] virtual BootTime boot() const = 0;
    /// Calls `job` on the loop once `when` has come; `cancel` with the returned number (0 is never used) forgets it.
    virtual std::uint64_t call_at(BootTime when, std::function<void()> job) = 0;
    virtual void cancel(std::uint64_t call) = 0;
    /// Waits; ends early without an error when its task is cancelled.
    [[nodiscard]] virtual Task<> sleep_until(BootTime when) = 0;
};

/// timerfd(2) on CLOCK_BOOTTIME; nothing wakes while nothing is due.
[[nodiscard]] std::unique_ptr<Clock> make_system_clock(Loop& loop);

/// Stands still until it is told.
class HandClock final : public Clock {
  public:
    explicit HandClock(Loop& loop, WallTime start);
    [[nodiscard]] WallTime wall() const override { return wall_; }
    [[nodiscard]] BootTime boot() const override { return boot_; }
    std::uint64_t call_at(BootTime when, std::function<void()> job) override;
    void cancel(std::uint64_t call) override;
    [[nodiscard]] Task<> sleep_until(BootTime when) override;

    /// Moves both clocks and runs what has come due, in order.
    void advance(std::chrono::milliseconds by);
    /// Moves the wall clock alone (an operator sets the clock).
    void set_wall(WallTime wall) { wall_ = wall; }

  private:
    Loop& loop_;
    WallTime wall_;
    BootTime boot_{std::chrono::hours(1)};
    std::uint64_t next_ = 1;
    std::multimap<BootTime, std::pair<std::uint64_t, std::function<void()>>> calls_;
};

} // namespace credlease::runtime
