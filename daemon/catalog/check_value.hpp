#pragma once

#include "catalog/service.hpp"

#include <optional>
#include <string_view>

namespace credlease::catalog {

// Whether a value may stand in a field: why not, or nullopt. They look at the bytes where they are and keep none, so
// that a secret can be checked in the arena.

/// A string or text field's value: size (wire::limits::field_value), one line, choices, format, and what the places
/// that it goes to do not allow.
[[nodiscard]] std::optional<result::StaticText> problem_with_text(const Field& field, std::string_view text);
[[nodiscard]] std::optional<result::StaticText> problem_with_number(const Field& field, std::int64_t number);
/// One entry of a map whose entries become headers (RFC 9110 §5).
[[nodiscard]] std::optional<result::StaticText> problem_with_header(std::string_view name, std::string_view value);

/// A header's name: one or more token characters (RFC 9110 §5.6.2).
[[nodiscard]] bool is_header_name(std::string_view text);

} // namespace credlease::catalog
