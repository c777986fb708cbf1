#include "leases/book.hpp"

#include "leases/ended.hpp"
#include "leases/live.hpp"

#include <algorithm>

namespace credlease::leases {

using vocabulary::Action;
using vocabulary::EndReason;
using vocabulary::LeaseId;
using vocabulary::Time;

struct Book::State {
    Live live;
    EndedLeases ended{live.texts()};
    std::uint32_t per_principal;
    Time now{}; ///< the latest that the book was told

    explicit State(std::uint32_t most) : per_principal(most) {}

    void end(const Lease& lease, EndReason reason, Time at) {
        ended.note({.lease = lease.id,
                    .credential = lease.credential,
                    .principal = lease.principal,
                    .on_behalf_of = lease.on_behalf_of,
                    .reason = reason,
                    .at = at},
                   now);
    }
};

namespace {

Book::Ended as_told(const EndedLeases::End& end) {
    return {.reason = end.reason,
            .credential = end.credential,
            .principal = end.principal,
            .on_behalf_of = end.on_behalf_of};
}

} // namespace

Book::Book(std::uint32_t per_principal) : state_(std::make_unique<State>(per_principal)) {}
Book::~Book() = default;

result::Result<> Book::issue(const Lease& lease) {
    if (state_->live.held_by(lease.principal) >= state_->per_principal) {
        return result::refuse({.code = result::ErrorCode::rate_limited,
                               .sentence = "You hold as many leases as one caller may.",
                               .next_step = "Release leases that are no longer used, or raise [leases] per_principal.",
                               .retry_after_seconds = 1});
    }
    if (!state_->live.insert(lease)) {
        return result::refuse({.code = result::ErrorCode::internal,
                               .sentence = "A lease of this id is live already.",
                               .next_step = "Ask again."});
    }
    return {};
}

Book::Terms Book::terms_of(const Lease& lease) {
    return {.expires_at = lease.expires_at,
            .limited_by = lease.limited_by,
            .version = lease.version,
            .generation = lease.generation,
            .fields = lease.fields,
            .field_order = lease.field_order};
}

bool Book::renew(const LeaseId& id, const Terms& terms) {
    const Slot slot = state_->live.find(id);
    if (slot == none) return false;
    state_->live.renew(slot, terms);
    return true;
}

bool Book::end(const LeaseId& id, EndReason reason, Time now) {
    state_->now = now;
    const Slot slot = state_->live.find(id);
    if (slot == none) return false;
    state_->end(state_->live.view(slot), reason, now);
    state_->live.remove(slot);
    return true;
}

void Book::forget(const LeaseId& id) {
    const Slot slot = state_->live.find(id);
    if (slot != none) state_->live.remove(slot);
}

std::optional<Lease> Book::find(const LeaseId& id) const {
    const Slot slot = state_->live.find(id);
    return slot == none ? std::nullopt : std::optional(state_->live.view(slot));
}

bool Book::is_live(const LeaseId& id) const { return state_->live.find(id) != none; }

std::vector<LeaseId> Book::matching(const Which& which) const {
    std::vector<LeaseId> ids;
    state_->live.visit(which, [&](Slot slot) { ids.push_back(state_->live.id(slot)); });
    return ids;
}

std::size_t Book::expire(Time now, std::size_t most, const std::function<void(const Lease&)>& show) {
    state_->now = now;
    std::size_t looks = 2 * most + 32; // leases of a later turn of the wheel are looked at too
    std::size_t expired = 0;
    while (expired < most) {
        const Slot due = state_->live.find_due(now, looks);
        if (due == none) break;
        const Lease lease = state_->live.view(due);
        show(lease);
        ++expired;
        if (state_->live.find(lease.id) == none) continue; // whom it was shown to has ended it
        state_->end(lease, EndReason::expired, lease.expires_at);
        state_->live.remove(due);
    }
    return expired;
}

std::optional<Time> Book::next_expiry() const { return state_->live.next_expiry(); }

std::optional<Book::Ended> Book::find_ended(const LeaseId& id) const {
    if (state_->live.find(id) != none) return std::nullopt;
    const auto end = state_->ended.find(id, state_->now);
    if (!end) return std::nullopt;
    return as_told(*end);
}

bool Book::may_have_forgotten(const LeaseId& id) const { return state_->ended.may_have_forgotten(id, state_->now); }

void Book::visit_ended(const std::function<void(const LeaseId&, const Ended&, Time)>& show) const {
    state_->ended.visit(state_->now, [&](const EndedLeases::End& end) { show(end.lease, as_told(end), end.at); });
}

std::size_t Book::size() const { return state_->live.size(); }

std::size_t Book::held_by(std::string_view principal) const { return state_->live.held_by(principal); }

void Book::set_per_principal(std::uint32_t most) { state_->per_principal = most; }

void Book::tell_idle(std::function<void(const Holder&)> told) { state_->live.tell_idle(std::move(told)); }

void Book::clear() { state_ = std::make_unique<State>(state_->per_principal); }

namespace {

/// The lease as its record of issue or renewal tells it. (A renewal's record holds all of the lease too.)
Lease lease_of(const vocabulary::AuditRecord& record) {
    const vocabulary::LeaseView& view = *record.lease_view;
    const bool issued = record.action == Action::lease_issued;
    const std::chrono::milliseconds id_time(record.lease.value().milliseconds());
    return {.id = record.lease,
            .credential = record.credential,
            .scope = view.scope,
            .version = record.version,
            .generation = record.generation,
            .principal = record.principal,
            .on_behalf_of = record.on_behalf_of,
            .grant = record.grant,
            .holder = {.pid = record.peer.pid, .start_time = view.holder_start, .boot_id = view.boot_id},
            .uid = record.peer.uid,
            .binding = view.binding,
            .limited_by = view.limited_by,
            .fields = view.fields,
            .field_order = view.field_order,
            .workflow = record.workflow,
            .run = record.run,
            .node = record.node,
            .claimed = record.claimed,
            .issued_at = issued ? record.at : Time(id_time),
            .expires_at = view.expires_at,
            .renewable_until = view.renewable_until};
}

} // namespace

void Book::replay(const vocabulary::AuditRecord& record, Time now) {
    if (!record.ok || record.lease_view == nullptr) return;
    state_->now = now;
    const Lease lease = lease_of(record);
    const Slot slot = state_->live.find(lease.id);
    switch (record.action) {
    case Action::lease_issued:
    case Action::lease_renewed:
        if (lease.expires_at <= now) {
            if (slot != none) state_->live.remove(slot);
            state_->end(lease, EndReason::expired, lease.expires_at);
        } else if (slot != none) {
            state_->live.renew(slot, terms_of(lease));
        } else {
            state_->live.insert(lease);
        }
        return;
    case Action::lease_released:
    case Action::lease_ended:
        // Whose it was the live lease tells best: the record may be that of the operator who ended it.
        state_->end(slot == none ? lease : state_->live.view(slot), record.lease_view->reason, record.at);
        if (slot != none) state_->live.remove(slot);
        return;
    default:
        return;
    }
}

} // namespace credlease::leases
