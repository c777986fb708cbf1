#pragma once

#include "broker/authorizations.hpp"
#include "broker/change.hpp"
#include "broker/token_exchange.hpp"

namespace credlease::broker {

/// In the arena, since a pending one's address holds its `state`.
[[nodiscard]] result::Result<AuthorizationReply> reply_of(const Authorization& one, const Unsealed& house,
                                                          unsigned status);
/// An outcome that was kept, again.
[[nodiscard]] result::Result<AuthorizationReply> reply_of(const Answer& kept, secret::Arena& arena);

/// The same where it may have been kept before the request came to an end: as it did, by what the credential is now.
[[nodiscard]] result::Result<AuthorizationReply> reply_again(const Unsealed& house, const Answer& kept,
                                                             const vault::Entry& entry);

/// The turn of a request's Idempotency-Key, and what was answered under it before.
struct KeyTurn {
    runtime::Gate::Pass pass;
    std::optional<Answer> before;
};
[[nodiscard]] runtime::Task<result::Result<KeyTurn>> take_key_turn(Unsealed& house, Asker& asker);

/// What a resend of this request gets once `one` has come to that end. To be made before anything is spent: it takes
/// room in the arena.
[[nodiscard]] result::Result<Answer> outcome_of(const Unsealed& house, const Asker& asker, const Authorization& one,
                                                Authorization::State state);

/// The same as long as it has come to none, of one that spends something at once.
[[nodiscard]] result::Result<Answer> outcome_of_begun(const Unsealed& house, const Asker& asker,
                                                      const Authorization& one);

/// Stores what a provider answered to it, while who began it may still change the credential, and with the tokens the
/// outcome of the request (nullptr: nobody's). Empty: it is connected; else why it is not.
[[nodiscard]] runtime::Task<std::string> keep_answer(Unsealed& house, Asker& asker, const Authorization& one,
                                                     const TokenClient& client, Exchanged got, const Answer* outcome);
/// It has ended: connected, or failed with a reason, which the log has then, and a resend gets.
[[nodiscard]] runtime::Task<> end_authorization(Unsealed& house, const Asker& asker, AuthorizationRef one,
                                                std::string failure);

} // namespace credlease::broker
