#pragma once

#include "oauth/provider_text.hpp"
#include "oauth/terms.hpp"
#include "outbound/outbound.hpp"
#include "secret/secret.hpp"
#include "vocabulary/time.hpp"

#include <variant>

namespace credlease::oauth {

struct AccessTokenKind {};
struct RefreshTokenKind {};
using AccessToken = secret::Secret<AccessTokenKind>;
using RefreshToken = secret::Secret<RefreshTokenKind>;
using vocabulary::Time;

/// What an answer brought for one slot of the entry.
struct SlotTokens {
    std::size_t slot = 0; ///< index in OAuth::slots
    AccessToken access_token;
    RefreshToken refresh_token;                     ///< empty: none came, the old one stays
    std::string token_type;                         ///< empty: not said
    std::optional<Time> ends_at;                    ///< of the access token; nullopt: it does not end
    std::optional<Time> refresh_ends_at;            ///< of the refresh token, where the answer says it
    std::optional<std::vector<std::string>> scopes; ///< that were granted; nullopt: those that were asked for
};
/// A public field's value as a provider gave it, not yet checked by the field's format.
struct FieldText {
    std::size_t field = 0;
    std::string text;
};
/// What is stored: never without an access token.
struct TokenSet {
    std::vector<SlotTokens> slots; ///< at least one, in the entry's order
    std::vector<FieldText> fields;
    std::string account; ///< whose grant it is; empty: not said
};

/// Why there is no token set. `code` and `text` are the provider's words, cleaned; where there was no answer `text` is
/// what the matter was.
struct Refusal {
    catalog::Meaning meaning = catalog::Meaning::transient;
    unsigned status = 0; ///< 0: there was no answer
    result::PublicText code{}, text{};
    std::chrono::milliseconds retry_after{0}; ///< 0: not said; at most a day
    bool is_unread = false; ///< it is a success by its status, and no JSON object (or form): a page to sign in, say
    /// Whether the provider may have done what was asked: a refresh token of single use may be spent.
    bool may_be_done = false;
};

/// The request that is answered.
struct Asked {
    const Secrets& secrets;            ///< that it carried
    std::optional<std::size_t> slot{}; ///< whose refresh token it spent; nullopt: a grant of all slots
    Time sent_at{};                    ///< what is said in seconds counts from here: rather early than late
};

/// What an untrusted answer to a token request means, by the entry's rules; where none fits, by RFC 6749 §5.2. A status
/// of 500 or more, 408, 429 or a body that can't be read is never definitive. `overloaded` where the arena has no room:
/// the answer is unharmed and can be read again.
[[nodiscard]] result::Result<std::variant<TokenSet, Refusal>>
read_answer(const catalog::OAuth& rules, const Asked& asked, const outbound::Answer& answer, secret::Arena& arena);

/// No answer: never definitive.
[[nodiscard]] Refusal refusal_of(const outbound::Failed& failed);

/// What an answer to a revocation says (RFC 7009 §2.2): nullopt where the token is dead.
[[nodiscard]] result::Result<std::optional<Refusal>> read_revocation(const catalog::OAuth& rules,
                                                                     const Secrets& secrets,
                                                                     const outbound::Answer& answer,
                                                                     secret::Arena& arena);

} // namespace credlease::oauth
