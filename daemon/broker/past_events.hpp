#pragma once

#include "audit/journal.hpp"
#include "broker/event.hpp"

#include <deque>

namespace credlease::broker {

/// The most events that one record tells of: their ids count from 1 within it.
inline constexpr std::uint32_t past_events_of_a_record = 3;

/// What the log tells of events, as far back as listeners may ask for.
struct PastEvents {
    std::deque<Event> events{}; ///< in order
    EventId begin{};            ///< behind it they are whole
};

/// On `bulk`. The events of records up to `last`, made again. Of what the log does not say – who sees a credential,
/// whose a lease was that an operator ended – `Concerned` is left empty.
[[nodiscard]] PastEvents read_past_events(const audit::Journal& journal, std::uint64_t last, vocabulary::Time now);

} // namespace credlease::broker
