#pragma once

#include "broker/unsealed.hpp"

namespace credlease::broker {

/// What the log holds of a lease besides its record, so that a replay brings it back; views the lease's texts.
[[nodiscard]] inline vocabulary::LeaseView view_of(const leases::Lease& lease) {
    return {.expires_at = lease.expires_at,
            .renewable_until = lease.renewable_until,
            .binding = lease.binding,
            .limited_by = lease.limited_by,
            .holder_start = lease.holder.start_time,
            .boot_id = lease.holder.boot_id,
            .fields = lease.fields,
            .field_order = lease.field_order,
            .scope = lease.scope};
}

/// A record about a lease that says of its holder what the lease says; views `lease` and `view`.
[[nodiscard]] inline vocabulary::AuditRecord record_of(const leases::Lease& lease, vocabulary::Action action,
                                                       const vocabulary::LeaseView& view) {
    vocabulary::AuditRecord record;
    record.action = action;
    record.principal = lease.principal;
    record.on_behalf_of = lease.on_behalf_of;
    record.peer.pid = lease.holder.pid;
    record.peer.uid = lease.uid;
    record.credential = lease.credential;
    record.version = lease.version;
    record.generation = lease.generation;
    record.lease = lease.id;
    record.grant = lease.grant;
    record.workflow = lease.workflow;
    record.run = lease.run;
    record.node = lease.node;
    record.claimed = lease.claimed;
    record.lease_view = &view;
    return record;
}

} // namespace credlease::broker
