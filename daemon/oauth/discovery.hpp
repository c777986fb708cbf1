#pragma once

#include "oauth/terms.hpp"
#include "outbound/outbound.hpp"

namespace credlease::oauth {

/// Where an issuer's metadata may lie, in the order to ask: RFC 8414 §3.1, OpenID Connect Discovery §4. Empty for what
/// is no issuer.
[[nodiscard]] std::vector<std::string> discovery_urls(std::string_view issuer);
[[nodiscard]] result::Result<outbound::Request> discovery_request(std::string url, secret::Arena& arena);

/// The metadata; nullopt where there is no such document. `invalid_request` where it names another issuer (RFC 8414
/// §3.3) or a URL that is no endpoint: it is not to be believed then.
[[nodiscard]] result::Result<std::optional<Discovered>>
read_discovery(std::string_view issuer, const outbound::Answer& answer, secret::Arena& arena);

} // namespace credlease::oauth
