#pragma once

#include "broker/asker.hpp"
#include "broker/unsealed.hpp"

#include <span>
#include <string_view>

namespace credlease::broker {

/// The credential that a caller means by an id or a name, within `scopes` alone; `personal:`, `workspace:` or
/// `organization:` before a name picks the scope. `credential_not_found`: absent or outside; `name_ambiguous` with the
/// candidates' ids. A name is looked up only among what the caller may do `operation` with.
[[nodiscard]] result::Result<const vault::Entry*> find_credential(Unsealed& house, const access::Caller& caller,
                                                                  access::Operation operation,
                                                                  std::span<const vocabulary::Scope> scopes,
                                                                  std::string_view id_or_name);
/// The same by id alone, in the scopes that the caller views.
[[nodiscard]] result::Result<const vault::Entry*> find_viewed(Unsealed& house, const access::Caller& caller,
                                                              access::Operation operation, std::string_view id);

/// The entry's service and auth type; `service_not_found` when the catalog has it no more.
struct Kind {
    const catalog::Service* service = nullptr;
    const catalog::AuthType* auth = nullptr;
};
[[nodiscard]] result::Result<Kind> kind_of(const Unsealed& house, const vocabulary::Credential& credential);

} // namespace credlease::broker
