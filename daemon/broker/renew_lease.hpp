#pragma once

#include "broker/issue_lease.hpp"

namespace credlease::broker {

/// POST /v1/leases/{id}/renew. `secret` is in the reply when version or generation differs from what this lease last
/// delivered, or when asked. By its holder only.
[[nodiscard]] result::Result<StagedReply> stage_renew(Unsealed& house, const Asker& asker, std::string_view id,
                                                      const wire::RenewLease& asked, audit::Waiter waiter,
                                                      bool has_waited = false);

/// What a refused request about a lease was about: nothing that is not the asker's to see.
[[nodiscard]] RefusedSubject subject_of(const Unsealed& house, const Asker& asker, std::string_view lease);

/// DELETE /v1/leases/{id}: answered once the record is written. Ending what has ended is a success (nullopt), where the
/// log knows of it.
[[nodiscard]] result::Result<std::optional<StagedReply>> stage_release(Unsealed& house, const Asker& asker,
                                                                       std::string_view id, audit::Waiter waiter);

/// The lease that a caller names, if it may see it: `lease_not_found`, or `lease_ended` with the reason.
[[nodiscard]] result::Result<leases::Lease> find_lease(const Unsealed& house, const Asker& asker, std::string_view id);
/// DELETE /v1/leases?…: operators; an engine those under its grants. Returns how many ended; `write_ends` waits for
/// the log.
[[nodiscard]] result::Result<std::size_t> end_matching(Unsealed& house, const Asker& asker, const leases::Which& which);

} // namespace credlease::broker
