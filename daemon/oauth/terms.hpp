#pragma once

#include "oauth/values.hpp"

#include <map>

namespace credlease::oauth {

/// What a server's metadata document says (RFC 8414, OpenID Connect Discovery). Empty: nothing.
struct Discovered {
    std::string issuer;
    std::string authorize_url, token_url, device_url, revoke_url;
    bool sends_issuer = false; ///< RFC 9207 §3: each redirect has `iss`
    bool operator==(const Discovered&) const = default;
};

/// Where one grant's tokens are asked for, and how, with all choices made. Stored with the grant: an entry of the
/// catalog that changes later sends no refresh token elsewhere, and no client secret another way. Nothing of it is
/// secret. Empty URL: none.
struct Terms {
    catalog::Flow flow = catalog::Flow::authorization_code;
    catalog::ClientAuth client_auth = catalog::ClientAuth::basic;
    catalog::RefreshClass refresh_class = catalog::RefreshClass::fixed;
    std::string issuer;
    std::string authorize_url, token_url, refresh_url, device_url, revoke_url;
    bool sends_issuer = false;
    std::map<std::string, std::string> refresh_parameters{}; ///< further ones of its refreshes
    bool operator==(const Terms&) const = default;
};

/// `found` fills what the entry leaves out. `invalid_request` where it was found by another issuer than the fields name
/// now, where there is no token URL, where a URL would be no endpoint (see is_endpoint), or where a field chooses what
/// does not exist; `field` names the one that is to be mended.
[[nodiscard]] result::Result<Terms> make_terms(const catalog::AuthType& type, const Values& values,
                                               const Discovered* found = nullptr);

/// Of an OAuth credential that is about to be stored: `invalid_request` where one of its fields makes a URL that would
/// be no endpoint; and, where nothing but these fields (`are_all`) will say where its tokens come from, where none
/// does.
[[nodiscard]] result::Result<> check_places(const catalog::AuthType& type, const Values& values, bool are_all);

/// The field that a URL of the entry is made from and that is not set; empty: it takes none, or all are.
[[nodiscard]] std::string missing_field(const catalog::AuthType& type, const catalog::Template& url,
                                        const Values& values);

/// Which flow the fields of a credential of that auth type choose; nullopt: one that does not exist.
[[nodiscard]] std::optional<catalog::Flow> find_flow(const catalog::AuthType& auth,
                                                     const vocabulary::PublicFields& fields);

/// The issuer whose metadata is to be read; nullopt where the entry has none or its field is not set.
[[nodiscard]] std::optional<std::string> find_issuer(const catalog::OAuth& rules, const Values& values);

/// What to ask for: the field's scopes, and the entry's own besides (without `offline_access` there is no refresh
/// token, whatever a person thought of).
[[nodiscard]] std::vector<std::string> scopes_of(const catalog::OAuth& rules, const Values& values);
[[nodiscard]] std::string joined(const std::vector<std::string>& words, std::string_view separator);

} // namespace credlease::oauth
