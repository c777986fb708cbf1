#include "broker/event_history.hpp"

#include "wire/limits.hpp"

#include <algorithm>
#include <chrono>

namespace credlease::broker {
namespace {

namespace limits = wire::limits;

/// A change is told once it is on the disk. Later records, told at once, may be this much later.
constexpr std::chrono::seconds commit_most{10};

} // namespace

void EventHistory::add(EventRef event) {
    const auto now = event->at;
    events_.push_back(std::move(event));
    forget_old(now);
}

void EventHistory::forget_old(vocabulary::Time now) {
    const auto is_old = [&](const Event& event) { return event.at + limits::events_kept_for < now; };
    while (!events_.empty() && (events_.size() > limits::events_kept || is_old(*events_.front()))) {
        begin_ = std::max(begin_, events_.front()->id);
        events_.pop_front();
    }
}

void EventHistory::prepend(std::deque<EventRef> earlier, const EventId& begin) {
    if (begin_ != begun_at_) return; // between them and what is here there would be a gap
    events_.insert(events_.begin(), earlier.begin(), earlier.end());
    begin_ = begin;
    if (!events_.empty()) forget_old(events_.back()->at);
}

std::size_t EventHistory::place_behind(const EventId& id) const {
    const auto found = std::ranges::upper_bound(events_, id, {}, [](const EventRef& event) { return event->id; });
    return static_cast<std::size_t>(found - events_.begin());
}

EventRef EventHistory::next_behind(const EventId& id) const {
    const auto place = place_behind(id);
    return place == events_.size() ? nullptr : events_[place];
}

std::deque<EventRef> EventHistory::told_late(const EventId& id) const {
    std::deque<EventRef> late;
    const auto place = place_behind(id);
    if (place == 0) return late;
    const auto from = events_[place - 1]->at - commit_most;
    for (std::size_t i = place; i > 0 && events_[i - 1]->at >= from; --i) {
        if (events_[i - 1]->is_of_change) late.push_front(events_[i - 1]);
    }
    return late;
}

} // namespace credlease::broker
