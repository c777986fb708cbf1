#include "broker/held_lease.hpp"

#include "broker/expiry.hpp"
#include "broker/gone_lease.hpp"
#include "broker/lease_plan.hpp"

namespace credlease::broker {

using result::refuse;

bool is_own(const Unsealed& house, const Asker& asker, const leases::Lease& lease) {
    if (lease.principal != asker.caller->principal || lease.on_behalf_of != asker.caller->on_behalf_of) return false;
    if (lease.binding == vocabulary::Binding::none) return true;
    return lease.holder.pid == asker.peer->pid && lease.holder.start_time == asker.peer->start_time &&
           lease.holder.boot_id == house.boot;
}

result::Result<Held> still_held(Unsealed& house, const Asker& asker, const leases::Lease& lease) {
    const auto scope = vocabulary::Scope::find(lease.scope);
    const auto* entry = scope ? house.vault->find({&*scope, 1}, lease.credential) : nullptr;
    if (entry == nullptr) return access::credential_not_found();
    const auto& credential = entry->credential;
    auto allowed =
        authorize(*asker.caller, access::Operation::use, credential.scope, credential.id, credential.service);
    if (!allowed) return refuse(std::move(allowed.error()));
    if (auto leasable = check_leasable(house, credential); !leasable) return refuse(std::move(leasable.error()));
    auto kind = kind_of(house, credential);
    if (!kind) return refuse(std::move(kind.error()));
    if (kind->auth->order_of(lease.fields) != lease.field_order) {
        end_lease(house, lease.id, vocabulary::EndReason::scope_changed);
        return refuse(lease_ended(vocabulary::EndReason::scope_changed));
    }
    auto fields = fields_for(*asker.caller, *kind->auth, {}, false);
    if (!fields) return refuse(std::move(fields.error()));
    return Held{.entry = entry, .auth = kind->auth, .fields = lease.fields & *fields};
}

result::Result<> check_live(const Unsealed& house, const vocabulary::LeaseId& id) {
    if (house.book.is_live(id)) return {};
    const auto end = house.book.find_ended(id);
    return refuse(lease_ended(end ? end->reason : vocabulary::EndReason::undelivered));
}

} // namespace credlease::broker
