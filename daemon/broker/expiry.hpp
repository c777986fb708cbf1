#pragma once

#include "broker/unsealed.hpp"

namespace credlease::broker {

/// Ends the leases that match, each with its record; returns how many.
std::size_t end_leases(Unsealed& house, const leases::Which& which, vocabulary::EndReason reason);
/// What was ended until now is in the log, so that no restart brings it back: `store_unavailable` when it could not be
/// written yet.
[[nodiscard]] runtime::Task<result::Result<>> write_ends(Unsealed& house);
/// Ends one (its record is staged). False: no such live lease.
bool end_lease(Unsealed& house, const vocabulary::LeaseId& id, vocabulary::EndReason reason);

/// The leases bound to a process end when it exits.
void holder_exited(Unsealed& house, const leases::Holder& holder);
/// After a restart: leases whose holder, grant or credential has gone meanwhile.
void end_what_has_gone(Unsealed& house);
/// Sets the clock for the next lease or grant whose time comes. A lease that ends by its own time leaves no record: the
/// record of its issue or renewal says until when.
void schedule_expiry(Unsealed& house);
/// A new lease or grant ends at `when`: the clock is set earlier where that is sooner.
void expire_by(Unsealed& house, vocabulary::Time when);

} // namespace credlease::broker
