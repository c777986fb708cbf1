#pragma once

#include "catalog/service.hpp"

#include <expected>
#include <span>
#include <string_view>

namespace credlease::catalog {

/// Takes "Bearer {token}" apart: `{field}`, `{field|base64}`, `{field|urlencode}`, `{url_field|host}`; several fields
/// joined by ':' before they are encoded, `{user:password|base64}`; a brace itself is doubled. Lists and maps cannot be
/// placed.
[[nodiscard]] std::expected<Template, result::StaticText> read_template(std::string_view text,
                                                                        std::span<const Field> fields);

} // namespace credlease::catalog
