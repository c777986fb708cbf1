#pragma once

#include "oauth/schedule.hpp"

#include <string_view>

namespace credlease::oauth {

/// What ends, unless somebody does something, although every refresh succeeds.
enum class ClockKind : std::uint8_t { access_token, refresh_idle, refresh_absolute, client_secret };
/// "refresh_idle"
[[nodiscard]] std::string_view name_of(ClockKind clock);
[[nodiscard]] std::optional<ClockKind> find_clock(std::string_view name);

struct RunningClock {
    ClockKind clock = ClockKind::access_token;
    Time began{}; ///< of a client secret nobody knows it
    Time ends{};
};

// People are warned 30 days, 7 days and one day before a clock ends; of a shorter one only where that is in its last
// quarter, and if none is, when a tenth is left. An idle refresh token is used before that ends, so that nobody is
// warned unless that has failed.

/// The latest time to warn until `now`; nullopt: there was none yet.
[[nodiscard]] std::optional<Time> last_warning(const RunningClock& clock, Time now);
/// The first one after it.
[[nodiscard]] std::optional<Time> next_warning(const RunningClock& clock, Time now);

} // namespace credlease::oauth
