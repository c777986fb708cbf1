#pragma once

#include "broker/event.hpp"

#include <deque>

namespace credlease::broker {

/// The events of the last 15 minutes, at most 10,000, in the order of their ids: for listeners that come back.
class EventHistory {
  public:
    /// From here on nothing is missing.
    void begin_at(const EventId& id) {
        events_.clear();
        begun_at_ = begin_ = id;
    }
    void add(EventRef event);
    /// Events of before `begin_at`, in order, and from where on they are whole. Once one behind that is forgotten, they
    /// are of no use.
    void prepend(std::deque<EventRef> earlier, const EventId& begin);

    /// All events behind `id` are here.
    [[nodiscard]] bool covers(const EventId& id) const { return id >= begin_; }
    /// The first event behind `id`; nullptr: none yet.
    [[nodiscard]] EventRef next_behind(const EventId& id) const;
    /// What was told late, behind `id`, though its record is the earlier one: as far as the log, which this part of
    /// the history was read from, leaves that open.
    [[nodiscard]] std::deque<EventRef> told_late(const EventId& id) const;
    void forget_old(vocabulary::Time now);

  private:
    [[nodiscard]] std::size_t place_behind(const EventId& id) const;

    std::deque<EventRef> events_;
    EventId begun_at_{};
    EventId begin_{};
};

} // namespace credlease::broker
