#pragma once

#include <optional>
#include <string_view>

namespace credlease::catalog {

/// The host of an absolute http or https URL (RFC 3986 §3), without its port; an IPv6 address keeps its brackets.
/// nullopt for anything that is no place to send a secret to: another scheme, user information, a query, a fragment,
/// white space, control or non-ASCII characters, a port that is none.
[[nodiscard]] std::optional<std::string_view> find_host(std::string_view url);

/// A host's name, or a part of one: letters, digits and hyphens, in labels of 1 to 63 between single dots; 253 at most.
[[nodiscard]] bool is_host_name(std::string_view text);

} // namespace credlease::catalog
