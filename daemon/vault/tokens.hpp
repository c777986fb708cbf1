#pragma once

#include "secret/secret_buffer.hpp"
#include "vault/field_set.hpp"
#include "vocabulary/oauth_state.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace credlease::vault {

/// Which of a credential's token sets: `number` counts the refreshes within a version. Whoever waited for a provider
/// says by it what the request was made with.
struct Generation {
    std::uint32_t version = 0;
    std::uint64_t number = 0;

    bool operator==(const Generation&) const = default;
};
[[nodiscard]] inline Generation generation_of(const vocabulary::Credential& credential) {
    return {.version = credential.version, .number = credential.generation};
}

/// A credential's tokens as the index holds them: what may be shown in the clear, the tokens sealed. It does not
/// change: a refresh puts another in its place.
struct HeldTokens {
    vocabulary::OAuthState state{};
    std::shared_ptr<const vocabulary::OAuthState> sealed_with{}; ///< where `state` has moved since; nullptr: with it
    std::vector<std::byte> sealed{};
    std::array<std::uint8_t, 8> fingerprint{}; ///< keyed, of the access tokens' plaintext
    std::uint64_t record_revision = 0;         ///< of its record in Table::tokens
};

/// "A token request that spends the refresh token of this generation and slot was begun": durable before it is sent,
/// and there until its outcome is durable.
struct Intent {
    Generation of{};
    vocabulary::Time started_at{};
    std::string slot{};
    std::optional<vocabulary::Duration> told_at{}; ///< as of tokens (TokenState::told_at); not stored
};

/// What a token request got for one slot.
struct NewToken {
    std::string slot;
    secret::SecretBuffer access_token;  ///< an answer without one is refused
    secret::SecretBuffer refresh_token; ///< empty: none came, and the one that is there stays
    std::string token_type;
    std::optional<std::vector<std::string>> scopes{}; ///< nullopt: as they were (RFC 6749 §5.1)
    std::optional<vocabulary::Time> access_ends_at{};
    // Of the refresh token. Where the old one stays, a clock that is not given stays too.
    std::optional<vocabulary::Time> refresh_idle_ends_at{}, refresh_ends_at{};
};

/// A token answer.
struct NewTokens {
    std::vector<NewToken> tokens;             ///< a refresh may bring one slot of several: the others stay
    vocabulary::PublicFields answer_fields{}; ///< what is no field of source `answer`, or breaks its rule, is left out
    std::string account{};                    ///< empty: the answer does not say
    std::optional<vocabulary::Time> refresh_at{};
    std::optional<vocabulary::Duration> may_be_refused_for{}; ///< nullopt: not measured this time
    vocabulary::Time now{};
    std::optional<vocabulary::Duration> told_at{}; ///< TokenState::told_at, of all these times
};

/// The first tokens of a credential, or those of its re-authorization.
struct NewConnection {
    NewTokens answer;
    vocabulary::GrantTerms terms;
    std::optional<vocabulary::Time> client_secret_ends_at{}; ///< nullopt: as it was known, else by the entry's rule
};

/// What becomes known of a grant without new tokens. Absent members stay.
struct StateChange {
    /// `active`, `failing` or `expired`; a pending credential stays so and takes the reason, a revoked one has it once
    /// it is restored.
    std::optional<vocabulary::CredentialStatus> status{};
    std::string status_reason{}; ///< goes with `status`
    std::optional<std::uint32_t> failures{};
    std::optional<std::string> last_failure{};
    std::optional<std::optional<vocabulary::Time>> refresh_at{};
    std::optional<std::optional<vocabulary::Time>> client_secret_ends_at{};
    bool ends_intent = false; ///< the request that was begun has come to its end
};

/// One slot's tokens, opened.
struct OpenToken {
    std::string slot;
    secret::SecretBuffer access_token;
    secret::SecretBuffer refresh_token; ///< empty: there is none
};

/// What token requests and revocations are made from. It goes to no lease.
struct OpenGrant {
    FieldSet fields; ///< every secret field that a person gave
    std::vector<OpenToken> tokens;

    /// A secret field's value, in the share `tokens`; an empty buffer: it is not set.
    [[nodiscard]] result::Result<secret::SecretBuffer> copy_field(std::string_view name, secret::Arena& arena) const;
};

} // namespace credlease::vault
