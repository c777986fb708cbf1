#pragma once

#include "vocabulary/audit_record.hpp"
#include "wire/json_writer.hpp"

namespace credlease::audit {

/// An audit record as interface.md §3 shows it.
void write_json(wire::JsonWriter& writer, const vocabulary::AuditRecord& record);

} // namespace credlease::audit
