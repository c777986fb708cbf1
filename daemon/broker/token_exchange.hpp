#pragma once

#include "broker/token_client.hpp"
#include "oauth/answer.hpp"
#include "oauth/schedule.hpp"

#include <variant>

namespace credlease::broker {

/// What a token request came to. Without an answer it is a refusal, too: `may_be_done` unless it was never sent.
struct Exchanged {
    std::variant<oauth::TokenSet, oauth::Refusal> outcome;
    vocabulary::Time sent_at{};
    runtime::BootTime begun{}, came{}; ///< for how long it took: nobody sets this clock
    bool was_sent = true;
    bool found_no_room = false; ///< it was not sent, and nothing is said of the provider
};

/// What people are told of it: "invalid_client (Unknown client.)", "status 503", or why there was no answer.
[[nodiscard]] std::string words_of(const oauth::Refusal& refusal);

/// For what a person asked for (send_in_share). Sends it and reads the answer. `slot`: whose refresh token it spends,
/// nullopt for a grant of all slots. Nobody's turn is held meanwhile: when it comes back the credential may be another,
/// or gone.
[[nodiscard]] runtime::Task<Exchanged> exchange(Unsealed& house, const TokenClient& client, oauth::Prepared prepared,
                                                std::optional<std::size_t> slot);
/// The same for a turn of the schedule, which has its share of the room.
[[nodiscard]] runtime::Task<Exchanged> exchange_in_turn(Unsealed& house, const TokenClient& client,
                                                        oauth::Prepared prepared, std::optional<std::size_t> slot);

/// The clocks of a slot as they are stored.
[[nodiscard]] oauth::Clocks clocks_of(const TokenClient& client, const vocabulary::OAuthState& state,
                                      const vocabulary::TokenState& token);
/// Which slot a refresh is due for first, as its index in the rules; nullopt: none can be refreshed.
[[nodiscard]] std::optional<std::size_t> slot_to_refresh(const TokenClient& client,
                                                         const vocabulary::OAuthState& state);

/// What a provider said of public fields, by their names and types.
[[nodiscard]] vocabulary::PublicFields public_fields(const TokenClient& client,
                                                     const std::vector<oauth::FieldText>& texts);

/// An answer as the vault takes it. `before`: what the credential holds until now, nullptr at a consent. `seed` tells
/// the credential's place in the schedule (oauth::refresh_at).
[[nodiscard]] vault::NewTokens to_store(const TokenClient& client, oauth::TokenSet made, vocabulary::Time sent_at,
                                        const vocabulary::OAuthState* before, Unsealed& house, std::uint64_t seed);

} // namespace credlease::broker
