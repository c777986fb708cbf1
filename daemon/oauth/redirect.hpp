#pragma once

#include "oauth/answer.hpp"

namespace credlease::oauth {

/// What a browser brought back (RFC 6749 §4.1.2), not yet believed.
struct Redirect {
    secret::SecretBuffer state;
    secret::SecretBuffer code;          ///< empty: the provider refused
    std::string issuer;                 ///< `iss` (RFC 9207); empty: not sent
    result::PublicText error{}, text{}; ///< the provider's words, cleaned
    std::vector<FieldText> fields;      ///< what the entry keeps of the query: QuickBooks' realmId
};

/// Reads a redirect's query, or the whole address as a person pastes it. `invalid_request` for what has no state, comes
/// with a parameter twice, or has neither a code nor an error.
[[nodiscard]] result::Result<Redirect> read_redirect(const catalog::OAuth& rules, std::string_view address,
                                                     secret::Arena& arena);

/// Its `state` alone, by which it is found whose it is; empty: it has none, or several.
[[nodiscard]] secret::SecretBuffer read_state(std::string_view address, secret::Arena& arena);

/// Whether it belongs to the authorization that had `state`, and comes from the issuer that was asked: else
/// `invalid_request`, whatever else it says.
[[nodiscard]] result::Result<> check_redirect(const Redirect& redirect, const secret::SecretBuffer& state,
                                              const Terms& terms);

} // namespace credlease::oauth
