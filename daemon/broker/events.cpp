#include "broker/events.hpp"

#include "broker/unsealed.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <utility>

namespace credlease::broker {
namespace {

constexpr std::size_t expiring_at_a_time = 100; ///< then others have their turn

std::optional<leases::Holder> process_of(const leases::Lease& lease) {
    return lease.binding == vocabulary::Binding::process ? std::optional(lease.holder) : std::nullopt;
}

} // namespace

Events::Events(Unsealed& house)
    : house_(house), listeners_([this](Listener& listener, const EventRef& event) { return send(listener, event); }) {}

Events::~Events() { quiet(); }

void Events::quiet() {
    if (expiring_call_ != 0) house_.parts.clock.cancel(std::exchange(expiring_call_, 0));
}

/// Some time after the last listener has left nobody comes back for what is missing.
bool Events::is_heard() {
    if (!is_active_ || !listeners_.is_empty()) return is_active_;
    if (house_.wall() < heard_at_ + wire::limits::events_kept_for) return true;
    is_active_ = false;
    past_ = Past::unread;
    watched_.clear();
    history_.begin_at({});
    return false;
}

/// A log that could not be written takes its numbers back: ids never go back with it.
EventId Events::now_id() const {
    const EventId written{.seq = house_.journal->last_staged()};
    return written.seq > latest_.seq ? written : latest_;
}

EventRef Events::make(Event event) {
    if (!listeners_.is_empty()) heard_at_ = house_.wall();
    latest_ = now_id();
    ++latest_.count;
    event.id = latest_;
    event.at = house_.wall();
    return std::make_shared<const Event>(std::move(event));
}

Event Events::about(EventKind kind, const vocabulary::Credential& credential) {
    return {.kind = kind,
            .credential = credential.id,
            .version = credential.version,
            .generation = credential.generation,
            .concerned = {.scope = credential.scope, .service = credential.service}};
}

void Events::lease_begun(const leases::Lease& lease) {
    if (!listeners_.hears(lease.principal, lease.on_behalf_of, process_of(lease))) return;
    watched_.watch(lease, house_.time.now());
    schedule_expiring();
}

void Events::lease_ended(const leases::Lease& lease, vocabulary::EndReason reason) {
    if (!is_heard()) return;
    watched_.forget(lease.id);
    const auto event = make({.kind = EventKind::lease_ended,
                             .credential = lease.credential,
                             .version = lease.version,
                             .generation = lease.generation,
                             .lease = lease.id,
                             .reason = reason,
                             .concerned = {.principal = std::string(lease.principal),
                                           .on_behalf_of = std::string(lease.on_behalf_of),
                                           .process = process_of(lease)}});
    history_.add(event);
    listeners_.tell_holder(event, lease.principal, lease.on_behalf_of, process_of(lease));
    wake();
}

void Events::tell_holders(const EventRef& event) {
    history_.add(event);
    for (const auto& id : watched_.of(event->credential)) {
        const auto lease = house_.book.find(id);
        if (lease) listeners_.tell_holder(event, lease->principal, lease->on_behalf_of, process_of(*lease));
    }
    wake();
}

void Events::tell_viewers(const EventRef& event) {
    history_.add(event);
    listeners_.tell_admin(event);
    wake();
}

void Events::credential_rotated(const vocabulary::Credential& credential) {
    if (!is_heard()) return;
    tell_holders(make(about(EventKind::credential_rotated, credential)));
    credential_updated(credential);
}

void Events::credential_refreshed(const vocabulary::Credential& credential) {
    if (is_heard()) tell_holders(make(about(EventKind::credential_refreshed, credential)));
}

void Events::credential_created(const vocabulary::Credential& credential) {
    if (is_heard()) tell_viewers(make(about(EventKind::credential_created, credential)));
}

void Events::credential_updated(const vocabulary::Credential& credential) {
    if (is_heard()) tell_viewers(make(about(EventKind::credential_updated, credential)));
}

void Events::credential_deleted(const vocabulary::Credential& credential) {
    if (is_heard()) tell_viewers(make(about(EventKind::credential_deleted, credential)));
}

void Events::credential_status_changed(const vocabulary::Credential& credential) {
    if (!is_heard()) return;
    auto event = about(EventKind::credential_status_changed, credential);
    event.status = vault::effective_status(credential, house_.wall());
    tell_viewers(make(std::move(event)));
}

void Events::credential_ending(const vocabulary::Credential& credential, const oauth::RunningClock& clock) {
    if (!is_heard()) return;
    auto event = about(EventKind::credential_ending, credential);
    event.clock = clock.clock;
    event.expires_at = clock.ends;
    tell_viewers(make(std::move(event)));
}

void Events::grant_ended(const vocabulary::Grant& grant) {
    if (!is_heard()) return;
    const auto event = make({.kind = EventKind::grant_ended,
                             .grant = grant.id,
                             .concerned = {.principal = grant.minted_by, .on_behalf_of = grant.on_behalf_of}});
    listeners_.tell_caller(event, "grant:" + grant.id.text(), grant.on_behalf_of);
    tell_viewers(event);
}

void Events::sealing() {
    if (!is_heard()) return;
    const auto event = make({.kind = EventKind::broker_sealing});
    history_.add(event);
    listeners_.tell_all(event);
    wake();
}

void Events::listen(ListenerId id, const Asker& asker, bool on_admin, std::string_view last_event_id,
                    std::unique_ptr<EventSink> sink) {
    if (!is_heard()) {
        is_active_ = true;
        latest_ = now_id();
        latest_.count += past_events_of_a_record; // what the log's last record tells of is of before
        begun_at_ = latest_;
        history_.begin_at(begun_at_);
    }
    const auto given = EventId::find(last_event_id);
    Listener listener{.id = id,
                      .caller = asker.caller,
                      .peer = asker.peer,
                      .process = {.pid = asker.peer->pid, .start_time = asker.peer->start_time, .boot_id = house_.boot},
                      .on_admin = on_admin,
                      .sink = std::move(sink),
                      .last = given.value_or(now_id()),
                      .comes_back = given.has_value(),
                      .is_lost = !given && !last_event_id.empty()};
    const bool needs_past = listener.comes_back && !history_.covers(listener.last);
    watch_leases_of(listeners_.add(std::move(listener)));
    behind_.insert(id);
    ready_.insert(id);
    if (needs_past && past_ == Past::unread) house_.tasks.start(read_past());
    wake();
}

void Events::leave(ListenerId id) {
    if (listeners_.find(id) == nullptr) return;
    heard_at_ = house_.wall();
    listeners_.remove(id);
    behind_.erase(id);
}

void Events::drained(ListenerId id) {
    if (!behind_.contains(id)) return;
    ready_.insert(id);
    wake();
}

void Events::look_again() {
    must_look_again_ = !listeners_.is_empty();
    wake();
}

void Events::watch_leases_of(const Listener& listener) {
    const auto now = house_.time.now();
    const leases::Which which{.principal = listener.caller->principal, .on_behalf_of = listener.caller->on_behalf_of};
    for (const auto& id : house_.book.matching(which)) {
        const auto lease = house_.book.find(id);
        const auto process = lease ? process_of(*lease) : std::nullopt;
        if (lease && (!process || *process == listener.process)) watched_.watch(*lease, now);
    }
    schedule_expiring();
}

void Events::tell_expiring() {
    expiring_call_ = 0;
    const auto now = house_.time.now();
    for (std::size_t i = 0; i < expiring_at_a_time; ++i) {
        const auto id = watched_.take_expiring(now);
        if (!id) break;
        const auto lease = house_.book.find(*id);
        if (!lease) continue;
        const auto event = make({.kind = EventKind::lease_expiring,
                                 .credential = lease->credential,
                                 .version = lease->version,
                                 .generation = lease->generation,
                                 .lease = lease->id,
                                 .expires_at = lease->expires_at,
                                 .concerned = {.principal = std::string(lease->principal),
                                               .on_behalf_of = std::string(lease->on_behalf_of),
                                               .process = process_of(*lease)}});
        history_.add(event);
        listeners_.tell_holder(event, lease->principal, lease->on_behalf_of, process_of(*lease));
    }
    wake();
    schedule_expiring();
}

void Events::schedule_expiring() {
    const auto next = watched_.next_expiring();
    if (!next || house_.is_closing) return;
    if (expiring_call_ != 0) {
        if (expiring_at_ <= *next) return;
        house_.parts.clock.cancel(expiring_call_);
    }
    expiring_at_ = *next;
    expiring_call_ = house_.parts.clock.call_at(house_.time.boot_time_of(*next), [this] { tell_expiring(); });
}

} // namespace credlease::broker
