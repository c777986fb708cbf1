#include "broker/wall_watch.hpp"

#include "broker/clock_warnings.hpp"
#include "broker/expiry.hpp"
#include "broker/refresher.hpp"
#include "runtime/suspend.hpp"

namespace credlease::broker {
namespace {

/// Less is a leap second, or a moment between the readings of two clocks. Slewing moves both clocks alike.
constexpr vocabulary::Duration smallest_step = std::chrono::seconds(2);

} // namespace

WallWatch::WallWatch(Unsealed& house) : house_(house), offset_(measure()) {
    house_.vault->set_offset(offset_);
    house_.parts.clock.on_set([this] { (void)offset(); });
}

void WallWatch::quiet() { house_.parts.clock.on_set({}); }

vocabulary::Duration WallWatch::measure() const {
    return house_.wall().time_since_epoch() - house_.parts.clock.boot().time_since_epoch();
}

vocabulary::Duration WallWatch::offset() {
    const auto offset = measure();
    if (std::chrono::abs(offset - offset_) < smallest_step) return offset_;
    offset_ = offset;
    house_.vault->set_offset(offset_);
    must_follow_again_ = true;
    if (!is_following_ && !house_.is_closing) house_.tasks.start(follow());
    return offset_;
}

runtime::Task<> WallWatch::follow() {
    is_following_ = true;
    schedule_expiry(house_); // what people said is of the wall clock
    while (std::exchange(must_follow_again_, false)) {
        std::size_t late = 0;
        const auto move = [&](const vault::Entry& entry) {
            house_.vault->move_times(entry);
            late += house_.refresher->is_late(entry) ? 1 : 0;
        };
        co_await walk_all(move);
        const auto room = RefreshSchedule::catching_up(late);
        const auto plan = [&](const vault::Entry& entry) { house_.refresher->plan_anew(entry, room); };
        co_await walk_all(plan);
    }
    is_following_ = false;
    if (!house_.is_closing) house_.clock_warnings->look_soon();
}

/// In slices, between which requests are answered.
runtime::Task<> WallWatch::walk_all(std::function<void(const vault::Entry&)> look) {
    vault::Walk walk{.scopes = house_.vault->all_scopes()};
    while (!house_.is_closing && house_.vault->walk_on(walk, look)) {
        auto next_turn = [](const runtime::Resume& resume) { resume(); };
        co_await runtime::suspend(house_.parts.loop, next_turn);
    }
}

} // namespace credlease::broker
