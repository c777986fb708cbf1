#pragma once

#include "result/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace credlease::api {

/// A request target in origin form (RFC 9112 §3.2.1), split at its '?'.
struct Target {
    std::string_view path{};
    std::string_view query{};
};

/// Refuses every other form, characters that a URI may not hold, dot segments, and percent-encodings of what needs none
/// or in lower case: one resource has one spelling (RFC 3986 §6.2.2).
[[nodiscard]] result::Result<Target> read_target(std::string_view target);

/// Percent-decoded (RFC 3986 §2.1); nullopt for a bad encoding, or when the result is not clean UTF-8.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

} // namespace credlease::api
