#pragma once

#include "broker/unsealed.hpp"
#include "oauth/endings.hpp"

namespace credlease::broker {

/// A clock of a credential's grant that no refresh stops.
struct GrantClock {
    oauth::RunningClock runs{};
    std::string_view slot{}; ///< as the entry's; empty: of the whole grant
};
/// Without the secret of the organization's client, which has a clock of its own. None: it is not connected, or its
/// grant is dead.
[[nodiscard]] std::vector<GrantClock> clocks_of_grant(const Unsealed& house, const vault::Entry& entry);

/// When the secret of the OAuth client ends that its refreshes are made with, whosever it is.
[[nodiscard]] std::optional<vocabulary::Time> client_secret_end(const Unsealed& house, const vault::Entry& entry);
/// Nullopt: it has no secret, or nobody knows.
[[nodiscard]] std::optional<oauth::RunningClock> clock_of(const vault::OAuthClient& client);

} // namespace credlease::broker
