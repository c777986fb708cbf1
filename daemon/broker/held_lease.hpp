#pragma once

#include "broker/asker.hpp"
#include "broker/find_credential.hpp"
#include "broker/unsealed.hpp"

namespace credlease::broker {

/// A process-bound lease belongs to its process, an unbound one to the same caller.
[[nodiscard]] bool is_own(const Unsealed& house, const Asker& asker, const leases::Lease& lease);

/// What a lease may still give its holder.
struct Held {
    const vault::Entry* entry = nullptr;
    const catalog::AuthType* auth = nullptr;
    std::uint32_t fields = 0; ///< what it gave before and the caller may still have
};
/// Asked before every delivery after the first, renewal and redelivery alike: may the caller still, and what? Ends the
/// lease when the service's fields have changed their order in the catalog, since nobody knows any more which it named.
[[nodiscard]] result::Result<Held> still_held(Unsealed& house, const Asker& asker, const leases::Lease& lease);

/// `lease_ended` when this lease lives no more: for whoever has waited since it lived.
[[nodiscard]] result::Result<> check_live(const Unsealed& house, const vocabulary::LeaseId& id);

} // namespace credlease::broker
