#pragma once

#include "broker/unsealed.hpp"

namespace credlease::broker {

/// Where a credential is found, and its place in the schedule.
struct Refreshed {
    vocabulary::Scope scope;
    vocabulary::CredentialId id;
    std::uint64_t seed = 0; ///< oauth::refresh_at
};

/// The credential, also where it has moved into another scope meanwhile; nullptr: it was deleted.
[[nodiscard]] const vault::Entry* find_refreshed(const Unsealed& house, const Refreshed& what);

/// One token request for a credential: a refresh, or the first tokens where no person is needed for them. Before a
/// refresh token is spent an intent is durable; what comes back is durable before it returns (guarantee 7), however
/// long the store refuses it. The credential may be revoked, edited or deleted meanwhile: what came for tokens that it
/// has no more, or for another place, is dropped. `credential_pending`: a person must authorize it first;
/// `credential_expired`: the provider says that the grant is dead; `upstream_failed`, also where an earlier request is
/// in doubt and its token may not be spent yet; `store_unavailable`, `overloaded`:
/// nothing was sent.
[[nodiscard]] runtime::Task<result::Result<>> get_tokens(Unsealed& house, const Refreshed& what);

/// What was to be tried once more was, and had no answer again: nothing is tried until a person authorizes it anew,
/// also after a restart.
[[nodiscard]] bool was_tried_in_vain(const vault::Entry& entry);

/// When a request whose outcome nobody knows is to be made again; nullopt: there is none, or only a person helps.
[[nodiscard]] std::optional<vocabulary::Time> in_doubt_until(const Unsealed& house, const vault::Entry& entry);

} // namespace credlease::broker
