#pragma once

#include "broker/asker.hpp"
#include "broker/unsealed.hpp"
#include "wire/messages.hpp"

namespace credlease::broker {

/// A reply that carries a secret and must not leave before its record is written.
struct StagedReply {
    vocabulary::LeaseId lease;
    unsigned status = 201;
    secret::SecretBuffer body{}; ///< JSON, in the arena
    bool issued = false;         ///< a new lease: forgotten again if the record cannot be written
};

/// POST /v1/leases. The record is staged in the journal's turn; `waiter` is told when it is written: only then `body`
/// may leave. Nothing is allocated on the heap in steady state.
[[nodiscard]] result::Result<StagedReply> stage_issue(Unsealed& house, const Asker& asker,
                                                      const wire::IssueLeaseView& asked, audit::Waiter waiter);
/// The lease's record could not be written: as if it had never been issued.
void undo_issue(Unsealed& house, const StagedReply& reply);

/// Whether this asker's leases are counted (`max_leases`): then `issue_counted` serves them, synced before they leave.
[[nodiscard]] bool is_counted(const Asker& asker);
[[nodiscard]] runtime::Task<result::Result<StagedReply>> issue_counted(Unsealed& house, Asker asker,
                                                                       const wire::IssueLeaseView& asked);

} // namespace credlease::broker
