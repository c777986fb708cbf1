#pragma once

#include "oauth/parameters.hpp"
#include "oauth/terms.hpp"
#include "outbound/outbound.hpp"
#include "vocabulary/time.hpp"

namespace credlease::oauth {

/// For whom a request is written. All of it outlives the call alone.
struct Client {
    const catalog::OAuth& rules;
    const Terms& terms;
    const Values& values;
    secret::Arena& arena;
};

/// A request, and the secrets that it carries: the answer is read with them.
struct Prepared {
    outbound::Request request;
    Secrets secrets;
};

/// What a browser is sent to (RFC 6749 §4.1.1), and what is kept until it comes back. The URL holds the state.
struct Authorization {
    secret::SecretBuffer url;
    secret::SecretBuffer state;    ///< 256 random bits
    secret::SecretBuffer verifier; ///< of PKCE (RFC 7636 §4.1); empty where the provider rejects it
};

// Only where a provider that gets it twice does no harm `may_be_repeated` is set: what spends nothing, and a refresh
// whose class keeps the old refresh token good. Each: `invalid_request` where the terms have no URL for it or a field
// that it needs is not set; `overloaded`.

[[nodiscard]] result::Result<Authorization> make_authorization(const Client& client, std::string_view redirect_uri);
/// RFC 6749 §4.1.3. `verifier` is empty without PKCE.
[[nodiscard]] result::Result<Prepared> code_request(const Client& client, const secret::SecretBuffer& code,
                                                    const secret::SecretBuffer& verifier,
                                                    std::string_view redirect_uri);
/// RFC 6749 §6. Without a scope: as many as were granted.
[[nodiscard]] result::Result<Prepared> refresh_request(const Client& client, const secret::SecretBuffer& refresh_token);
/// RFC 6749 §4.4.2
[[nodiscard]] result::Result<Prepared> client_credentials_request(const Client& client);
/// RFC 8628 §3.1
[[nodiscard]] result::Result<Prepared> device_request(const Client& client);
/// RFC 8628 §3.4
[[nodiscard]] result::Result<Prepared> device_poll_request(const Client& client,
                                                           const secret::SecretBuffer& device_code);
/// RFC 7523 §2.1, or the JWT as the request's own Bearer token.
[[nodiscard]] result::Result<Prepared> jwt_bearer_request(const Client& client, vocabulary::Time now);

enum class TokenKind : std::uint8_t { access, refresh };
/// RFC 7009 §2.1, or as the entry says. Which of the two a provider takes is Revocation::by_access_token.
[[nodiscard]] result::Result<Prepared> revoke_request(const Client& client, const secret::SecretBuffer& token,
                                                      TokenKind kind);
/// A GET of one of `field_urls`.
[[nodiscard]] result::Result<Prepared> field_request(const Client& client, std::string_view url,
                                                     const secret::SecretBuffer& access_token);

} // namespace credlease::oauth
