#include "leases/live.hpp"

namespace credlease::leases {

Slot Live::find(const vocabulary::LeaseId& id) const {
    return by_id_.find(rows_, std::hash<vocabulary::LeaseId>{}(id), [&](const Row& row) { return row.id == id; });
}

bool Live::insert(const Lease& lease) {
    if (find(lease.id) != none) return false;
    const Slot slot = rows_.take();
    Row& row = rows_[slot];
    row.id = lease.id;
    row.issued_at = lease.issued_at;
    row.expires_at = lease.expires_at;
    row.renewable_until = lease.renewable_until;
    row.version = lease.version;
    row.generation = lease.generation;
    row.fields = lease.fields;
    row.field_order = lease.field_order;
    row.claimed = lease.claimed;
    row.limited_by = lease.limited_by;
    row.scope = texts_.keep(lease.scope);
    row.workflow = texts_.keep(lease.workflow);
    row.run = texts_.keep(lease.run);
    row.node = texts_.keep(lease.node);
    row.credential = leased_.find_or_add(lease.credential);
    row.party = parties_.find_or_add(lease);
    row.live = true;

    by_id_.insert(rows_, slot);
    push_front<&Row::of_credential>(rows_, leased_[row.credential].first_lease, slot);
    push_front<&Row::of_party>(rows_, parties_[row.party].first_lease, slot);
    parties_.count_lease(row.party, true);
    wheel_.insert(rows_, slot);
    return true;
}

void Live::remove(Slot slot) {
    const Row row = rows_[slot];
    wheel_.erase(rows_, slot);
    by_id_.erase(rows_, slot);
    unlink<&Row::of_credential>(rows_, leased_[row.credential].first_lease, slot);
    if (leased_[row.credential].first_lease == none) leased_.remove(row.credential);
    unlink<&Row::of_party>(rows_, parties_[row.party].first_lease, slot);
    parties_.count_lease(row.party, false);
    parties_.remove_if_idle(row.party);
    for (const Slot text : {row.scope, row.workflow, row.run, row.node}) texts_.release(text);
    rows_.give_back(slot);
}

void Live::renew(Slot slot, const Book::Terms& terms) {
    wheel_.erase(rows_, slot);
    Row& row = rows_[slot];
    row.expires_at = terms.expires_at;
    row.limited_by = terms.limited_by;
    row.version = terms.version;
    row.generation = terms.generation;
    row.fields = terms.fields;
    row.field_order = terms.field_order;
    wheel_.insert(rows_, slot);
}

Lease Live::view(Slot slot) const {
    const Row& row = rows_[slot];
    Lease lease;
    lease.id = row.id;
    lease.credential = leased_[row.credential].key;
    lease.scope = texts_.view(row.scope);
    lease.version = row.version;
    lease.generation = row.generation;
    parties_.describe(row.party, lease);
    lease.limited_by = row.limited_by;
    lease.fields = row.fields;
    lease.field_order = row.field_order;
    lease.workflow = texts_.view(row.workflow);
    lease.run = texts_.view(row.run);
    lease.node = texts_.view(row.node);
    lease.claimed = row.claimed;
    lease.issued_at = row.issued_at;
    lease.expires_at = row.expires_at;
    lease.renewable_until = row.renewable_until;
    return lease;
}

bool Live::matches(const Row& row, const Which& which) const {
    return row.live && (!which.credential || leased_[row.credential].key == *which.credential) &&
           (which.workflow.empty() || texts_.view(row.workflow) == which.workflow) &&
           (which.run.empty() || texts_.view(row.run) == which.run) && parties_.matches(row.party, which);
}

void Live::visit(const Which& which, const std::function<void(Slot)>& show) const {
    const auto show_matching = [&](Slot slot) {
        if (matches(rows_[slot], which)) show(slot);
    };
    const bool by_party = parties_.visit(which, [&](Slot party) {
        for (Slot slot = parties_[party].first_lease; slot != none; slot = rows_[slot].of_party.behind) {
            show_matching(slot);
        }
    });
    if (by_party) return;
    if (which.credential) {
        const Slot leased = leased_.find(*which.credential);
        Slot slot = leased == none ? none : leased_[leased].first_lease;
        for (; slot != none; slot = rows_[slot].of_credential.behind) show_matching(slot);
        return;
    }
    for (Slot slot = 0; slot < rows_.made(); ++slot) show_matching(slot);
}

} // namespace credlease::leases
