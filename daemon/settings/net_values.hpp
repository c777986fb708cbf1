#pragma once

#include "settings/values.hpp"

#include <string>

namespace credlease::settings {

// Hosts, addresses and URLs of [outbound].

/// A host name or an address, without a port.
[[nodiscard]] result::Result<std::string> read_host(const Node& node);
/// "127.0.0.1:7466" or "[::1]:7466": the daemon itself listens on loopback only.
[[nodiscard]] result::Result<std::string> read_loopback_address(const Node& node);
/// "https://…" without a query, or "" for none.
[[nodiscard]] result::Result<std::string> read_public_url(const Node& node);
/// "https://…", or "http://…" on loopback (RFC 8252 §7.3); no fragment (RFC 6749 §3.1.2).
[[nodiscard]] result::Result<std::string> read_redirect_uri(const Node& node);

} // namespace credlease::settings
