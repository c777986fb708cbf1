#pragma once

#include "broker/asker.hpp"
#include "broker/get_tokens.hpp"
#include "broker/token_client.hpp"

namespace credlease::broker {

// A token set that a provider gave may be the only one that it will ever give. While the store refuses it, it lies in
// DATA/rescue and, to be tried again and again, in the arena. Where DATA/rescue fails too the broker neither stops nor
// seals. It is leased once the store has it, and not before: the index shows what the store holds.

/// How the record of a refresh begins that did not bring all scopes back; past_events.cpp reads it.
inline constexpr std::string_view lost_scopes = "scopes lost:";

/// The first tokens of a credential, or those of its re-authorization, durable when it returns. `by`: who authorized
/// it; nullptr: the broker itself. Dropped, as `credential_not_found` or `version_conflict`: it was deleted meanwhile,
/// or would ask with something else than `client` did. `sealed`: the broker seals or stops, and will find them in
/// DATA/rescue. `outcome`, where there is one, is kept in the same batch for a resend of `by`'s request.
[[nodiscard]] runtime::Task<result::Result<>> connect(Unsealed& house, const Refreshed& what, const TokenClient& client,
                                                      const vault::NewConnection& made, const Asker* by,
                                                      const Outcomes::Outcome* outcome = nullptr);
/// Whose tokens a refresh's answer follows, and when it is synced: at once where the provider may give it only once.
struct Follows {
    vault::Generation of{};
    audit::Sync sync = audit::Sync::at_once;
};
/// A refresh's answer, likewise. Where the credential has other tokens by now than it follows they are dropped.
[[nodiscard]] runtime::Task<result::Result<>> keep_refreshed(Unsealed& house, const Refreshed& what,
                                                             const TokenClient& client, const Follows& follows,
                                                             const vault::NewTokens& made);
/// At a start or unseal, before anything is planned: what lies in DATA/rescue is on its way into the store, as the
/// request under way of its credential. What follows no tokens of its credential is cleared; what does not
/// authenticate, or is of a credential that is damaged, is told of and left alone.
void take_up_rescued(Unsealed& house);

} // namespace credlease::broker
