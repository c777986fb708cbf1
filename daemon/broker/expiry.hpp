#pragma once

#include "broker/unsealed.hpp"

namespace credlease::broker {

/// Ends the leases that match, each with its record; returns how many.
std::size_t end_leases(Unsealed& house, const leases::Which& which, vocabulary::EndReason reason);
/// What was ended until now is in the log, so that no restart brings it back: `store_unavailable` when it could not be
/// written yet.
[[nodiscard]] runtime::Task<result::Result<>> write_ends(Unsealed& house);
[[nodiscard]] result::Error ends_not_written();
/// Ends one (its record is staged). False: no such live lease.
bool end_lease(Unsealed& house, const vocabulary::LeaseId& id, vocabulary::EndReason reason);

/// The record of its end was lost: the log is told again, as soon as it can be written.
void note_lost_end(Unsealed& house, const vocabulary::LeaseId& id);

/// The leases bound to a process end when it exits.
void holder_exited(Unsealed& house, const leases::Holder& holder);
/// After a restart: leases whose holder, grant or credential has gone meanwhile, and what the config of now gives to
/// nobody any more: leases of a rule that is no more or reaches less, grants whose minter has lost the right.
void end_what_has_gone(Unsealed& house);
/// Sets the clock for the next lease, grant or credential whose time comes; again after a change of one. A lease that
/// ends by its own time leaves no record: the record of its issue or renewal says until when.
void schedule_expiry(Unsealed& house);
/// A new lease or grant ends at `when`: the clock is set earlier where that is sooner.
void expire_by(Unsealed& house, vocabulary::Time when);

} // namespace credlease::broker
