#pragma once

#include "vocabulary/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace credlease::vocabulary {

/// How an OAuth client says who it is in a token request (RFC 6749 §2.3.1); none: a public client.
enum class ClientAuth : std::uint8_t { basic, post, none };

/// Whose OAuth client: the credential's own fields name it, or the organization has it for the service.
enum class ClientOwner : std::uint8_t { credential, organization };

/// What a grant at a provider was made with and keeps, whatever becomes of the catalog's entry, of the credential's
/// fields and of the organization's client.
struct GrantTerms {
    std::string token_url{}; ///< where its refreshes go
    std::string issuer{};    ///< whose metadata named it; empty: none did
    ClientAuth client_auth = ClientAuth::basic;
    ClientOwner client = ClientOwner::credential;
    std::string client_id{};
    std::vector<std::string> scopes{};               ///< asked for
    std::map<std::string, std::string> parameters{}; ///< further ones of its token requests

    bool operator==(const GrantTerms&) const = default;
};

/// What may be known of one access token of a grant and of its refresh token without opening them.
struct TokenState {
    std::string slot{};                         ///< "bot": its name in the catalog
    std::vector<std::string> scopes{};          ///< granted
    std::vector<std::string> lost_scopes{};     ///< granted at the consent, and no more: the provider took them back
    std::optional<Time> access_ends_at{};       ///< nullopt: it does not end
    std::optional<Time> refresh_idle_ends_at{}; ///< when the refresh token dies unless it is used
    std::optional<Time> refresh_ends_at{};      ///< when it dies, used or not
    bool has_refresh_token = false;
    /// How far the wall clock was ahead of the boot clock when its ends were told: when the wall clock is set, they go
    /// along. Nullopt, as of all that was stored: in an earlier life of the broker, and the wall clock decides.
    std::optional<Duration> told_at{};
    std::optional<Time>
        got_at{}; ///< when this access token came; nullopt, as of all that was stored: `refreshed_at` says

    bool operator==(const TokenState&) const = default;
};

/// What may be shown of a credential's grant at its provider. No secret is in it.
struct OAuthState {
    std::string account{}; ///< whose grant it is, as the provider says; empty: it does not
    std::vector<TokenState> tokens{};
    Time connected_at{};
    std::optional<Time> refreshed_at{};
    std::optional<Time> refresh_at{};            ///< planned
    std::uint32_t failures = 0;                  ///< since the last token answer
    std::string last_failure{};                  ///< a code's name; empty: none since then
    std::optional<Time> client_secret_ends_at{}; ///< of the credential's own client
    Duration may_be_refused_for{}; ///< measured: how long the old access token is refused before the new one is there
    GrantTerms terms{};

    bool operator==(const OAuthState&) const = default;
};

/// When that one's access token came. After a start the last refresh of any of them says it.
[[nodiscard]] inline Time got_at(const OAuthState& state, const TokenState& token) {
    return token.got_at.value_or(state.refreshed_at.value_or(state.connected_at));
}

} // namespace credlease::vocabulary
