#pragma once

#include "oauth/answer.hpp"

namespace credlease::oauth {

using catalog::RefreshClass;
using vocabulary::Duration;

/// When what one slot of a grant lives on ends, by the wall clock; nullopt: never, as far as anyone said.
struct Clocks {
    Time got_at{}; ///< when the live access token, and with it the last refresh, was asked for
    std::optional<Time> access_ends{};
    std::optional<Time> refresh_idle_ends{};     ///< unless the refresh token is used before
    std::optional<Time> refresh_absolute_ends{}; ///< whatever is done: a person consents again
    bool can_refresh = false; ///< a refresh token is there, or the flow needs none (client credentials, JWT bearer)
    Duration margin{};        ///< the entry's; 0: by the token's life
    std::optional<Duration> access_after_refresh{}; ///< the entry's: an access token works so long after a refresh
};

/// The clocks after `tokens` came, which were asked for at `sent_at`. `before`: those of the slot until now, nullptr at
/// a consent. A refresh token whose class keeps it does not get a longer life by use: what the answer says of its end
/// is absolute then.
[[nodiscard]] Clocks clocks_after(const catalog::OAuth& rules, RefreshClass refresh, bool can_refresh,
                                  const SlotTokens& tokens, Time sent_at, const Clocks* before);

/// When to refresh next: nullopt where that is not possible, or nothing ends. `seed` tells credentials apart: numbers
/// given one after another spread best. Tokens of one life share a grid in time, on which each seed has its own place,
/// so that they stay apart however often they are refreshed, and however many came at one time. Where using the refresh
/// token kills the access token, at once or soon, it is the last useful moment. What is overdue (after a sleep, or a
/// stop) is spread over the minutes ahead: call it after a change, not to look again. At least two seconds apart.
[[nodiscard]] std::optional<Time> refresh_at(const Clocks& clocks, RefreshClass refresh, Time now, std::uint64_t seed);

/// How long a token of that life lives until refresh_at has it refreshed, at most, and in the long run: to know how
/// often a crowd asks. `margin`: of the entry.
[[nodiscard]] Duration period_of(Duration life, Duration margin);

/// The seed's own place in the `room` ahead of `now`: for a crowd that comes at one time.
[[nodiscard]] Time place_in(Time now, Duration room, std::uint64_t seed);

/// When to try again after `failures` refusals in a row, the last of them `refusal`: 5 s, doubled up to half an hour,
/// spread by a quarter, and never before what the provider said. Too early: when the access token has ended.
[[nodiscard]] Time retry_at(const Clocks& clocks, const Refusal& refusal, std::uint32_t failures, Time now,
                            std::uint64_t seed);

/// What is done about a refresh of which it is not known whether the provider made it (guarantee 7).
struct InDoubt {
    std::optional<Time> try_at;     ///< with the old refresh token; nullopt: only when a person or a lease asks
    std::optional<Time> try_before; ///< until then it works still; nullopt: it does not matter, or that is over
    bool once = false;              ///< where that try has no answer either, there is no other
};
/// `started_at`: of the latest try that the provider may have made.
[[nodiscard]] InDoubt in_doubt_action(RefreshClass refresh, const Clocks& clocks, Duration grace, Time started_at,
                                      Time now);

/// When to try again what is in doubt after a try that failed; `again`: when the back-off says (retry_at).
[[nodiscard]] std::optional<Time> retry_in_doubt(const InDoubt& doubt, Time again, Time now);

/// So long before its end an idle refresh token of this life is used.
[[nodiscard]] Duration keep_alive_margin(Duration life);

} // namespace credlease::oauth
