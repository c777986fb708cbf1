#pragma once

#include "result/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace credlease::http {

/// A request target, split at its '?'.
struct Target {
    std::string_view path{};
    std::string_view query{};
};

/// How a query is spelled: as RFC 3986 says, or as browsers leave it (they do not encode |, [ and the like).
enum class Queries : std::uint8_t { encoded, visible };

/// Takes the origin form (RFC 9112 §3.2.1) and, of scheme http, the absolute form (§3.2.2); whom its authority names
/// does not matter here, as Host does not. Refuses every other form, characters that a URI may not hold, dot segments,
/// and percent-encodings of what needs none or in lower case: one resource has one spelling (RFC 3986 §6.2.2).
[[nodiscard]] result::Result<Target> read_target(std::string_view target, Queries queries = Queries::encoded);

/// Percent-decoded (RFC 3986 §2.1); nullopt for a bad encoding, or when the result is not clean UTF-8.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

} // namespace credlease::http
