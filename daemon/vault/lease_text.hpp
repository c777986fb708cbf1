#pragma once

#include "catalog/service.hpp"
#include "vault/field_set.hpp"
#include "vault/vault.hpp"
#include "wire/json_writer.hpp"

namespace credlease::vault {

/// Writes the members `"fields"`, `"secret"` and (where every secret that it is made from was asked for) `"http"` of a
/// lease, by hand, into arena memory: `,"fields":{…},"secret":{…},"http":{…}`. `wanted` is the bit set of the fields
/// asked for. Fields that the catalog no longer knows, or lets no lease hold, are left out, and with these an `http`
/// that is made from one. False when a stored field is of another type than the catalog's. No heap allocation.
[[nodiscard]] bool write_lease_members(wire::SecretJsonWriter& writer, const catalog::AuthType& auth,
                                       const Entry& entry, std::span<const std::byte> plaintext, std::uint32_t wanted);

} // namespace credlease::vault
