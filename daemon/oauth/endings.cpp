#include "oauth/endings.hpp"

#include <algorithm>
#include <array>

namespace credlease::oauth {
namespace {

using namespace std::chrono_literals;

constexpr std::array<Duration, 3> marks = {30 * 24h, 7 * 24h, 24h}; ///< before the end
constexpr std::array<std::string_view, 4> names = {"access_token", "refresh_idle", "refresh_absolute", "client_secret"};

/// The longest time before the end at which anybody is warned.
Duration longest(const RunningClock& clock) {
    const Duration life = clock.ends - clock.began;
    if (clock.clock == ClockKind::client_secret) return marks.front();
    if (clock.clock == ClockKind::refresh_idle) return keep_alive_margin(life) - 1ms;
    return life / 4;
}

std::vector<Time> warnings(const RunningClock& clock) {
    std::vector<Time> found;
    for (const Duration mark : marks) {
        if (mark <= longest(clock)) found.push_back(clock.ends - mark);
    }
    if (found.empty()) found.push_back(clock.ends - (clock.ends - clock.began) / 10);
    return found;
}

} // namespace

std::string_view name_of(ClockKind clock) { return names[static_cast<std::size_t>(clock)]; }

std::optional<ClockKind> find_clock(std::string_view name) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<ClockKind>(found - names.begin());
}

std::optional<Time> last_warning(const RunningClock& clock, Time now) {
    const auto all = warnings(clock);
    const auto after = std::ranges::upper_bound(all, now);
    return after == all.begin() ? std::nullopt : std::optional(*std::prev(after));
}

std::optional<Time> next_warning(const RunningClock& clock, Time now) {
    const auto all = warnings(clock);
    const auto after = std::ranges::upper_bound(all, now);
    return after == all.end() ? std::nullopt : std::optional(*after);
}

} // namespace credlease::oauth
