#pragma once

#include "cli/catalog_entry.hpp"

#include <string>
#include <string_view>

namespace credlease::cli {

/// How a value of this field is written, for people: "a whole number, such as 5432". Empty where any text will do.
[[nodiscard]] std::string form_of(const ServiceField& field);

/// Whether `text` is written so; a list and a map as JSON. It is looked at where it lies: a parser would leave copies
/// of a secret.
[[nodiscard]] bool has_form(const ServiceField& field, std::string_view text);

} // namespace credlease::cli
