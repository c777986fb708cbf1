#pragma once

#include "catalog/entry_node.hpp"
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

/// The template of one member, of 1 to 1024 characters on one line; empty where it is none.
[[nodiscard]] Template read_template(const boost::json::value& value, const std::string& path,
                                     std::span<const Field> fields, EntryProblem& problem);

} // namespace credlease::catalog
