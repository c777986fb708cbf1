#pragma once

#include "vault/field_values.hpp"
#include "wire/json_writer.hpp"

namespace credlease::vault {

/// Fills a template with values, encoded and JSON-escaped (without quotes), straight into the writer's memory. Every
/// field that it needs is there.
void write_template(wire::SecretJsonWriter& writer, const catalog::Template& filled, const FieldValues& values);

} // namespace credlease::vault
