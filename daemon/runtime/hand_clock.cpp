#include "runtime/agenda.hpp"
#include "runtime/clock.hpp"
#include "runtime/sleep.hpp"

#include <algorithm>

namespace credlease::runtime {

HandClock::HandClock(Loop& loop, WallTime start) : loop_(loop), wall_(start), agenda_(std::make_shared<Agenda>()) {}

HandClock::~HandClock() = default;

std::uint64_t HandClock::call_at(BootTime when, std::function<void()> job) {
    if (when <= boot_) {
        loop_.post([agenda = agenda_, now = boot_] { agenda->run_due(now); });
    }
    return agenda_->add(when, std::move(job));
}

void HandClock::cancel(std::uint64_t call) { agenda_->remove(call); }

Task<> HandClock::sleep_until(BootTime when) { return sleep_on(*this, loop_, when); }

void HandClock::set_wall(WallTime wall) {
    wall_ = wall;
    if (on_set_) loop_.post(on_set_);
}

void HandClock::move_to(BootTime when) {
    wall_ += when - boot_;
    boot_ = when;
}

void HandClock::advance(std::chrono::milliseconds by) {
    const BootTime end = boot_ + by;
    for (auto next = agenda_->next(); next && *next <= end; next = agenda_->next()) {
        move_to(std::max(*next, boot_));
        agenda_->run_due(boot_);
    }
    move_to(end);
}

} // namespace credlease::runtime
