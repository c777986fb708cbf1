#pragma once

#include "runtime/clock.hpp"
#include "vocabulary/time.hpp"

namespace credlease::broker {

/// The time line of deadlines: CLOCK_BOOTTIME, shown as wall-clock time with an offset that stays for the whole boot.
/// Setting the clock back or forth moves no deadline; suspend counts; after a reboot the wall clock decides.
class LeaseTime {
  public:
    explicit LeaseTime(runtime::Clock& clock)
        : clock_(clock), offset_(clock.wall().time_since_epoch() - clock.boot().time_since_epoch()) {}

    [[nodiscard]] vocabulary::Time now() const { return vocabulary::Time(clock_.boot().time_since_epoch() + offset_); }
    [[nodiscard]] runtime::BootTime boot_time_of(vocabulary::Time time) const {
        return runtime::BootTime(time.time_since_epoch() - offset_);
    }
    /// The offset of this boot's first daemon, so that a restart keeps what remains.
    [[nodiscard]] vocabulary::Duration offset() const { return offset_; }
    void keep_offset(vocabulary::Duration offset) { offset_ = offset; }

  private:
    runtime::Clock& clock_;
    vocabulary::Duration offset_;
};

} // namespace credlease::broker
