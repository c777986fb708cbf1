#pragma once

#include "broker/asker.hpp"
#include "broker/unsealed.hpp"
#include "wire/json_writer.hpp"

#include <functional>

namespace credlease::broker {

// What callers are shown (interface.md §3): JSON without secrets.

/// Writes members that stand beside the credential's own.
using Members = std::function<void(wire::JsonWriter&)>;
[[nodiscard]] std::string credential_json(const Unsealed& house, const vocabulary::Credential& credential,
                                          std::optional<vocabulary::Time> last_used_at, const Members& more = {});
/// With `usable` and `reason`, for lists of what may be leased.
void write_credential(wire::JsonWriter& writer, const Unsealed& house, const vocabulary::Credential& credential,
                      std::optional<vocabulary::Time> last_used_at, bool with_usable);
void write_lease(wire::JsonWriter& writer, const Unsealed& house, const leases::Lease& lease);
void write_grant(wire::JsonWriter& writer, const vocabulary::Grant& grant);
void write_scope(wire::JsonWriter& writer, const vocabulary::Scope& scope);
void write_workspace(wire::JsonWriter& writer, const access::Workspace& workspace);

} // namespace credlease::broker
