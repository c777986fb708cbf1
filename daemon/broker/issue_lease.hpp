#pragma once

#include "broker/lease_plan.hpp"
#include "broker/unsealed.hpp"
#include "wire/messages.hpp"

namespace credlease::broker {

/// What a renewal changed, in case that its record cannot be written.
struct Renewal {
    leases::Book::Terms before{}, after{};
    access::CallerRef caller{};
    std::string key{}; ///< the Idempotency-Key
};

/// A reply that carries a secret and must not leave before its record is written.
struct StagedReply {
    vocabulary::LeaseId lease{};
    unsigned status = 201;
    secret::SecretBuffer body{}; ///< JSON, in the arena
    bool issued = false;         ///< a new lease: forgotten again if the record cannot be written
    std::optional<Renewal> renewal{};
    bool released = false;
    std::optional<TokenWait> wait{}; ///< nothing was staged: its token must be refreshed first
};

/// POST /v1/leases. The record is staged in the journal's turn; `waiter` is told when it is written: only then `body`
/// may leave. Nothing is allocated on the heap in steady state. `has_waited`: the token was refreshed for it.
[[nodiscard]] result::Result<StagedReply> stage_issue(Unsealed& house, const Asker& asker,
                                                      const wire::IssueLeaseView& asked, audit::Waiter waiter,
                                                      bool has_waited = false);
/// The lease's record could not be written: as if it had never been issued, or renewed; one that was released stays
/// ended, and the log is told when it can be. Of several that failed together the latest goes first.
void undo(Unsealed& house, const StagedReply& reply);

/// What the asker's Idempotency-Key gave before, issue or renewal; nullopt: it is new, or what it gave was never
/// issued.
[[nodiscard]] std::optional<leases::Idempotency::Seen> find_seen(const Unsealed& house, const Asker& asker);
/// The same key with another request: `idempotency_mismatch`.
[[nodiscard]] result::Result<> check_same(const leases::Idempotency::Seen& seen, const Asker& asker, bool is_renewal);

/// What a refused request was about, as far as the asker can see it; an id that was asked for, as it was said.
[[nodiscard]] RefusedSubject subject_of(Unsealed& house, const Asker& asker, const wire::IssueLeaseView& asked);

/// Whether this asker's leases are counted (`max_leases`): then `issue_counted` serves them, synced before they leave.
[[nodiscard]] bool is_counted(const Asker& asker);
[[nodiscard]] runtime::Task<result::Result<StagedReply>> issue_counted(Unsealed& house, Asker asker,
                                                                       const wire::IssueLeaseView& asked);

} // namespace credlease::broker
