#pragma once

#include "runtime/boot_time.hpp"
#include "runtime/loop.hpp"
#include "runtime/task.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

namespace credlease::runtime {

class Agenda;

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// What time it is, and waiting for it. Tests drive it by hand.
class Clock {
  public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual WallTime wall() const = 0;
    [[nodiscard]] virtual BootTime boot() const = 0;
    /// Calls `job` on the loop once `when` has come, in a later turn even if it has already; `cancel` with the returned
    /// number (0 is never used) forgets it.
    virtual std::uint64_t call_at(BootTime when, std::function<void()> job) = 0;
    virtual void cancel(std::uint64_t call) = 0;
    /// Waits; ends early without an error when its task is cancelled (the task's next `co_await` throws then).
    [[nodiscard]] virtual Task<> sleep_until(BootTime when) = 0;
    /// Calls `job` on the loop whenever the wall clock was set, instead of the job before; an empty one is not called.
    virtual void on_set(std::function<void()> job) = 0;
};

/// timerfd(2) on CLOCK_BOOTTIME; nothing wakes while nothing is due. (A call that was cancelled may cost one wake-up at
/// its time: that is cheaper than setting the timer back at every request.) Another on CLOCK_REALTIME, which only tells
/// that the clock was set.
[[nodiscard]] std::unique_ptr<Clock> make_system_clock(Loop& loop);

/// Stands still until it is told.
class HandClock final : public Clock {
  public:
    explicit HandClock(Loop& loop, WallTime start);
    ~HandClock() override;
    HandClock(const HandClock&) = delete;
    HandClock& operator=(const HandClock&) = delete;
    [[nodiscard]] WallTime wall() const override { return wall_; }
    [[nodiscard]] BootTime boot() const override { return boot_; }
    std::uint64_t call_at(BootTime when, std::function<void()> job) override;
    void cancel(std::uint64_t call) override;
    [[nodiscard]] Task<> sleep_until(BootTime when) override;
    void on_set(std::function<void()> job) override { on_set_ = std::move(job); }

    /// Moves both clocks from call to call and runs what comes due on the way, in order. A task that sleeps goes on in
    /// the loop's next turn, so a loop of sleeps needs one `advance` each.
    void advance(std::chrono::milliseconds by);
    /// Moves the wall clock alone (an operator sets the clock).
    void set_wall(WallTime wall);

  private:
    void move_to(BootTime when);

    Loop& loop_;
    WallTime wall_;
    BootTime boot_{std::chrono::hours(1)};
    std::shared_ptr<Agenda> agenda_;
    std::function<void()> on_set_;
};

} // namespace credlease::runtime
