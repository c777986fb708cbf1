#pragma once

#include "broker/change.hpp"

namespace credlease::broker {

/// A minted grant: JSON that carries the token, in the arena.
struct Minted {
    vocabulary::GrantId id;
    secret::SecretBuffer body;
};
/// POST /v1/grants. The same Idempotency-Key and body again withdraws the first token and returns a new one under the
/// same id.
[[nodiscard]] runtime::Task<result::Result<Minted>> mint_grant(Unsealed& house, Asker asker, wire::MintGrant asked);
/// DELETE /v1/grants/{id}: its leases end. Withdrawing what has ended is a success.
[[nodiscard]] runtime::Task<result::Result<Answer>> withdraw_grant(Unsealed& house, Asker asker, std::string id);
/// Who minted it may see and end it, an engine what its actors minted, an operator all.
[[nodiscard]] bool is_theirs(const access::Caller& caller, std::string_view minted_by, std::string_view on_behalf_of);
/// The grant that a caller minted (an operator: any): `grant_not_found`.
[[nodiscard]] result::Result<const vocabulary::Grant*> find_grant(const Unsealed& house, const Asker& asker,
                                                                  std::string_view id);
/// A grant's time has come, or its minter's rule is no more: unusable and without leases at
/// once, then out of the store, as often as that takes.
[[nodiscard]] runtime::Task<> end_grant(Unsealed& house, vocabulary::GrantId id, vocabulary::Action why);

/// Who minted a grant, as the record of its withdrawal says it: by it the minter is told over a restart.
struct Minter {
    std::string_view principal;
    std::string_view on_behalf_of{};
};
[[nodiscard]] std::string text_of(const Minter& minter);
[[nodiscard]] std::optional<Minter> find_minter(std::string_view detail);

} // namespace credlease::broker
