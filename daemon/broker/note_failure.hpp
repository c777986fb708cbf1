#pragma once

#include "broker/get_tokens.hpp"

namespace credlease::broker {

/// What became known of a credential that got no token, connected or still pending.
struct TokenFailure {
    vault::Generation of{}; ///< what was asked with
    vault::StateChange change{};
    vocabulary::Action action = vocabulary::Action::oauth_refresh_failed;
    result::ErrorCode code{};
    std::string detail{}; ///< of its record
    audit::Sync sync = audit::Sync::shared;
};

/// Makes it durable with its record, and tells of it: listeners of another status, the broker's own log of another
/// reason. In the credential's turn.
[[nodiscard]] runtime::Task<result::Result<>> note_failure(Unsealed& house, const Refreshed& what,
                                                           const vault::Entry& entry, TokenFailure failure);

/// A token could not even be asked for, by what the credential, its OAuth client, its issuer or the catalog are now: it
/// is `failing`, or still pending, and says why, with a record, until one comes. Once for each reason, however often it
/// is tried. In the credential's turn.
[[nodiscard]] runtime::Task<> note_unasked(Unsealed& house, const Refreshed& what, const result::Error& why);

} // namespace credlease::broker
