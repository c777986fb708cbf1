#include "oauth/schedule.hpp"

#include <algorithm>
#include <bit>

namespace credlease::oauth {
namespace {

using namespace std::chrono_literals;

constexpr Duration longest_margin = 10min;
constexpr Duration shortest_between = 2s; ///< from one refresh to the next
constexpr Duration last_moment = 60s;     ///< before the end, where a refresh kills the access token
constexpr Duration longest_keep_alive = 7 * 24h;
constexpr Duration overdue_spread = 10min;
constexpr Duration first_retry = 5s;
constexpr Duration last_retry = 30min;
constexpr Duration client_retry = 30min; ///< only a person mends an OAuth client; the change itself refreshes at once

/// The seed's place in [0, 1): a Kronecker sequence of the golden ratio, whose first n members are never much nearer
/// to each other than 1/n.
double place_of(std::uint64_t seed) {
    constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;
    return static_cast<double>(seed * golden >> 11) * 0x1p-53;
}

Duration part_of(Duration whole, double part) {
    return Duration(static_cast<Duration::rep>(static_cast<double>(whole.count()) * part));
}

/// Rounded down to 5 significant bits, so that 3599 s and 3600 s make one grid.
Duration grid_of(Duration width) {
    const auto count = static_cast<std::uint64_t>(std::max<Duration::rep>(width.count(), 1));
    const int low_bits = std::max(0, static_cast<int>(std::bit_width(count)) - 5);
    return Duration(static_cast<Duration::rep>(count >> low_bits << low_bits));
}

/// The one moment in the `width` before `latest` that is the seed's on the grid.
Time on_grid(Time latest, Duration width, std::uint64_t seed) {
    const Duration grid = grid_of(width);
    const Duration place = part_of(grid, place_of(seed));
    const Duration behind = (latest.time_since_epoch() - place) % grid;
    return latest - (behind < 0ms ? behind + grid : behind);
}

/// The seed's own moment on a grid of the whole `life`, where that is not in its first half; else the one half a grid
/// later, half a grid after which its own comes. So a crowd that came at one time fills the whole of the grid, not the
/// half that each waits at first; and nobody refreshes much more often than every life.
Time in_later_half(Time got_at, Duration life, std::uint64_t seed) {
    const Duration half = grid_of(life) / 2;
    const Duration slack = half / 8; // of a grid that is smaller than the life, and of a provider that took its time
    const Time own = on_grid(got_at + life, life, seed);
    return own < got_at + half - slack ? own + half : own;
}

/// `asked`: the entry's; 0: by the token's life.
Duration margin_of(Duration life, Duration asked) {
    return std::min(asked > 0ms ? asked : std::min(life / 12, longest_margin), life / 2);
}

Time for_access(const Clocks& clocks, RefreshClass refresh, std::uint64_t seed) {
    const Duration life = *clocks.access_ends - clocks.got_at;
    const Duration kept = clocks.access_after_refresh.value_or(life);
    if (refresh == RefreshClass::kills_access_token || kept < life) {
        const Duration late = refresh == RefreshClass::kills_access_token ? last_moment : kept / 2;
        const Duration margin = std::min(clocks.margin > 0ms ? clocks.margin : late, life / 8);
        return on_grid(*clocks.access_ends - margin, margin, seed);
    }
    return in_later_half(clocks.got_at, life - margin_of(life, clocks.margin), seed);
}

Time for_idle(const Clocks& clocks, std::uint64_t seed) {
    const Duration margin = keep_alive_margin(*clocks.refresh_idle_ends - clocks.got_at);
    return on_grid(*clocks.refresh_idle_ends - margin, margin, seed);
}

std::optional<Time> earlier(std::optional<Time> left, std::optional<Time> right) {
    if (!left || !right) return left ? left : right;
    return std::min(*left, *right);
}

} // namespace

Clocks clocks_after(const catalog::OAuth& rules, RefreshClass refresh, bool can_refresh, const SlotTokens& tokens,
                    Time sent_at, const Clocks* before) {
    const auto after = [&](const std::optional<Duration>& life) {
        return life ? std::optional(sent_at + *life) : std::nullopt;
    };
    Clocks made{.got_at = sent_at, .access_ends = tokens.ends_at, .can_refresh = can_refresh};
    made.margin = rules.clocks.margin;
    made.access_after_refresh = rules.clocks.access_after_refresh;
    made.refresh_idle_ends = after(rules.clocks.refresh_idle);
    made.refresh_absolute_ends =
        before != nullptr ? before->refresh_absolute_ends : after(rules.clocks.refresh_absolute);
    if (tokens.refresh_ends_at) {
        const bool is_kept = refresh == RefreshClass::fixed;
        (is_kept ? made.refresh_absolute_ends : made.refresh_idle_ends) = tokens.refresh_ends_at;
    } else if (before != nullptr && tokens.refresh_token.empty() && !rules.clocks.refresh_idle) {
        made.refresh_idle_ends = before->refresh_idle_ends; // the old token stays, with the end that was said of it
    }
    return made;
}

std::optional<Time> refresh_at(const Clocks& clocks, RefreshClass refresh, Time now, std::uint64_t seed) {
    const bool is_over = (clocks.refresh_absolute_ends && *clocks.refresh_absolute_ends <= now) ||
                         (clocks.refresh_idle_ends && *clocks.refresh_idle_ends <= now);
    if (!clocks.can_refresh || is_over) return std::nullopt;
    std::optional<Time> due;
    if (clocks.access_ends) due = for_access(clocks, refresh, seed);
    if (clocks.refresh_idle_ends) due = earlier(due, for_idle(clocks, seed));
    if (!due) return due;
    due = std::max(*due, clocks.got_at + shortest_between); // whoever needs one of so short a life asks for it
    if (*due > now) return due;
    // Before what still lives ends; a token that has ended is asked for by whoever needs it.
    Duration room = overdue_spread;
    for (const auto& end : {clocks.access_ends, clocks.refresh_idle_ends, clocks.refresh_absolute_ends}) {
        if (end && *end > now) room = std::min(room, (*end - now) / 2);
    }
    return place_in(now, room, seed);
}

Duration period_of(Duration life, Duration margin) {
    return std::max(life - margin_of(life, margin), shortest_between);
}

Time place_in(Time now, Duration room, std::uint64_t seed) { return now + part_of(room, place_of(seed)); }

Time retry_at(const Clocks& clocks, const Refusal& refusal, std::uint32_t failures, Time now, std::uint64_t seed) {
    if (refusal.meaning == catalog::Meaning::too_early && clocks.access_ends && *clocks.access_ends > now) {
        return *clocks.access_ends + 1s;
    }
    constexpr std::uint32_t most_doublings = 16;
    const std::uint32_t doublings = std::min(std::max(failures, 1u) - 1, most_doublings);
    Duration wait = std::min(first_retry * (1 << doublings), last_retry);
    if (refusal.meaning == catalog::Meaning::client) wait = client_retry;
    wait += part_of(wait / 4, place_of(seed + failures));
    return now + std::max(wait, refusal.retry_after + part_of(refusal.retry_after / 8, place_of(seed)));
}

InDoubt in_doubt_action(RefreshClass refresh, const Clocks& clocks, Duration grace, Time started_at, Time now) {
    switch (refresh) {
    case RefreshClass::fixed:
    case RefreshClass::rotating:
    case RefreshClass::kills_access_token:
        return {.try_at = now, .try_before = {}};
    case RefreshClass::none: // client credentials and JWT bearer spend nothing; without these nothing can be in doubt
        return {.try_at = clocks.can_refresh ? std::optional(now) : std::nullopt, .try_before = {}};
    case RefreshClass::single_use_grace:
        if (now >= started_at + grace) return {.try_at = now, .try_before = {}, .once = true};
        return {.try_at = now, .try_before = started_at + grace};
    case RefreshClass::single_use: // a provider that sees it twice may kill what is live
        return {.try_at = clocks.access_ends ? std::optional(std::max(now, *clocks.access_ends)) : std::nullopt,
                .try_before = {},
                .once = true};
    }
    return {};
}

std::optional<Time> retry_in_doubt(const InDoubt& doubt, Time again, Time now) {
    if (!doubt.try_at) return std::nullopt;
    const Time at = std::max(*doubt.try_at, again);
    if (!doubt.try_before || at < *doubt.try_before) return at;
    return now + (*doubt.try_before - now) / 2;
}

Duration keep_alive_margin(Duration life) { return std::min(life / 6, longest_keep_alive); }

} // namespace credlease::oauth
