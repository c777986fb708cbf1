#include "broker/expiry.hpp"

#include "broker/clock_warnings.hpp"
#include "broker/events.hpp"
#include "broker/find_credential.hpp"
#include "broker/grants.hpp"
#include "broker/lease_record.hpp"

namespace credlease::broker {
namespace {

constexpr std::size_t expired_at_a_time = 100; ///< then others have their turn: some 50 µs
constexpr std::size_t grants_at_a_time = 100;
constexpr std::size_t credentials_at_a_time = 100;

void note_end(Unsealed& house, const leases::Lease& lease, vocabulary::EndReason reason) {
    auto view = view_of(lease);
    view.reason = reason;
    auto record = record_of(lease, vocabulary::Action::lease_ended, view);
    record.detail = vocabulary::text_of(reason).view();
    house.journal->note(record);
}

void expire_grants(Unsealed& house, vocabulary::Time now) {
    for (const auto& id : house.grants->expired(now, grants_at_a_time)) {
        house.tasks.start(end_grant(house, id, vocabulary::Action::grant_ended));
    }
}

/// Leases were clipped to it, but for those of before it was moved nearer.
void expire_credentials(Unsealed& house) {
    for (std::size_t i = 0; i < credentials_at_a_time; ++i) {
        const auto* entry = house.vault->take_ended(house.wall());
        if (entry == nullptr) return;
        vocabulary::AuditRecord record;
        record.action = vocabulary::Action::credential_expired;
        record.principal = vocabulary::by_itself;
        concern(record, entry->credential);
        house.journal->note(record);
        house.events->credential_status_changed(entry->credential);
        house.clock_warnings->look_soon();
        end_leases(house, {.credential = entry->credential.id}, vocabulary::EndReason::expired);
    }
}

/// The credentials' ends are wall time, which can be set.
std::optional<vocabulary::Time> next_credential_end(const Unsealed& house) {
    const auto end = house.vault->next_end();
    return end ? std::optional(house.time.now() + (*end - house.wall())) : std::nullopt;
}

/// Whoever holds it under the config of now, it is still theirs to use.
bool is_still_allowed(Unsealed& house, const leases::Lease& lease, const vocabulary::Credential& credential) {
    const auto caller = house.callers->find_former(
        {.principal = lease.principal, .on_behalf_of = lease.on_behalf_of, .grant = lease.grant, .uid = lease.uid});
    return caller &&
           access::authorize(*caller, access::Operation::use, credential.scope, credential.id, credential.service);
}

/// What happened to a lease while nobody ran.
std::optional<vocabulary::EndReason> why_it_has_gone(Unsealed& house, const leases::Lease& lease) {
    using vocabulary::EndReason;
    const auto scope = vocabulary::Scope::find(lease.scope);
    const auto* entry = scope ? house.vault->find({&*scope, 1}, lease.credential) : nullptr;
    if (entry == nullptr) return EndReason::credential_deleted;
    const auto status = vault::effective_status(entry->credential, house.wall());
    if (status == vocabulary::CredentialStatus::revoked) return EndReason::credential_revoked;
    if (status == vocabulary::CredentialStatus::expired) return EndReason::expired;
    if (lease.grant != vocabulary::GrantId()) {
        const auto* grant = house.grants->find(lease.grant);
        if (grant == nullptr || !house.callers->is_granted(*grant)) return EndReason::grant_ended;
    }
    if (!is_still_allowed(house, lease, entry->credential)) return EndReason::scope_changed;
    const bool is_bound = lease.binding == vocabulary::Binding::process;
    if (is_bound && (lease.holder.boot_id != house.boot || !house.holders->watch_again(lease.holder))) {
        return EndReason::holder_exited;
    }
    return std::nullopt;
}

void run_expiry(Unsealed& house) {
    house.expiry_call = 0;
    const auto now = house.time.now();
    house.book.expire(now, expired_at_a_time, [&house](const leases::Lease& lease) {
        house.events->lease_ended(lease, vocabulary::EndReason::expired);
    });
    expire_grants(house, now);
    expire_credentials(house);
    house.journal->flush();
    schedule_expiry(house);
}

} // namespace

bool end_lease(Unsealed& house, const vocabulary::LeaseId& id, vocabulary::EndReason reason) {
    const auto lease = house.book.find(id);
    if (!lease) return false;
    note_end(house, *lease, reason);
    house.events->lease_ended(*lease, reason);
    return house.book.end(id, reason, house.time.now());
}

std::size_t end_leases(Unsealed& house, const leases::Which& which, vocabulary::EndReason reason) {
    const auto matching = house.book.matching(which);
    for (const auto& id : matching) end_lease(house, id, reason);
    house.journal->flush();
    return matching.size();
}

result::Error ends_not_written() {
    return {.code = result::ErrorCode::store_unavailable,
            .sentence =
                "What was asked for has ended, but the audit log could not be told yet: a restart would bring it "
                "back.",
            .next_step = "Look for a full or failing disk, and ask again."};
}

void note_lost_end(Unsealed& house, const vocabulary::LeaseId& id) {
    const auto end = house.book.find_ended(id);
    if (!end) return;
    const vocabulary::LeaseView view{.reason = end->reason};
    vocabulary::AuditRecord record;
    record.action = vocabulary::Action::lease_ended;
    record.principal = end->principal;
    record.on_behalf_of = end->on_behalf_of;
    record.credential = end->credential;
    record.lease = id;
    record.detail = vocabulary::text_of(end->reason).view();
    record.lease_view = &view;
    house.journal->note(record);
}

runtime::Task<result::Result<>> write_ends(Unsealed& house) {
    co_await house.journal->catch_up();
    if (house.journal->is_healthy()) co_return result::Result<>();
    co_return result::refuse(ends_not_written());
}

void holder_exited(Unsealed& house, const leases::Holder& holder) {
    end_leases(house, {.holder = holder}, vocabulary::EndReason::holder_exited);
}

void end_what_has_gone(Unsealed& house) {
    for (const auto* grant : house.grants->minted_by({})) {
        if (!house.callers->is_granted(*grant)) {
            house.tasks.start(end_grant(house, grant->id, vocabulary::Action::grant_ended));
        }
    }
    for (const auto& id : house.book.matching({})) {
        const auto lease = house.book.find(id);
        const auto reason = lease ? why_it_has_gone(house, *lease) : std::nullopt;
        if (reason) end_lease(house, id, *reason);
    }
    house.journal->flush();
}

void schedule_expiry(Unsealed& house) {
    for (const auto next : {house.book.next_expiry(), house.grants->next_expiry(), next_credential_end(house)}) {
        if (next) expire_by(house, *next);
    }
}

void expire_by(Unsealed& house, vocabulary::Time when) {
    if (house.is_closing) return; // the call would ring where nobody lives any more
    if (house.expiry_call != 0) {
        if (house.expiry_at <= when) return;
        house.parts.clock.cancel(house.expiry_call);
    }
    house.expiry_at = when;
    house.expiry_call = house.parts.clock.call_at(house.time.boot_time_of(when), [&house] { run_expiry(house); });
}

} // namespace credlease::broker
