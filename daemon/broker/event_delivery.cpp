#include "broker/events.hpp"
#include "broker/grants.hpp"
#include "broker/unsealed.hpp"
#include "runtime/suspend.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace credlease::broker {
namespace {

constexpr std::size_t sent_a_turn = 256;                    ///< events, then others have their turn: some 30 µs
constexpr std::size_t looked_at_a_turn = 1024;              ///< of the history, for one listener
constexpr std::size_t unsent_most = std::size_t{32} * 1024; ///< bytes of the history that a listener is sent ahead

/// Told to whoever sees what it is about, and not to a holder.
bool is_for_viewers(const Listener& listener, EventKind kind) {
    switch (kind) {
    case EventKind::credential_created:
    case EventKind::credential_updated:
    case EventKind::credential_deleted:
    case EventKind::credential_status_changed:
    case EventKind::credential_ending:
        return true;
    case EventKind::grant_ended:
        return listener.on_admin;
    default:
        return false;
    }
}

bool is_holder(const Listener& listener, const Concerned& concerned) {
    const auto& caller = *listener.caller;
    if (caller.principal != concerned.principal || caller.on_behalf_of != concerned.on_behalf_of) return false;
    if (!concerned.process) return true;
    auto process = *concerned.process;
    if (process.pid == 0) process.pid = listener.process.pid; // the log did not say
    return process == listener.process;
}

} // namespace

bool Events::has_work() const { return listeners_.has_waiting() || !ready_.empty() || must_look_again_; }

void Events::wake() {
    if (!has_work() || std::exchange(is_delivering_, true)) return;
    house_.tasks.start(deliver());
}

/// What is told is in the log before: after a crash the log would else give its ids to other events.
runtime::Task<> Events::deliver() {
    while (has_work()) {
        const auto until = now_id();
        co_await house_.journal->catch_up();
        bool has_more = true;
        while (has_more) {
            has_more = listeners_.send_some(until, sent_a_turn);
            catch_up_ready(until);
            if (has_more) co_await runtime::suspend(house_.parts.loop, [](runtime::Resume resume) { resume(); });
        }
        if (!listeners_.has_waiting() && std::exchange(must_look_again_, false)) drop_strangers();
    }
    is_delivering_ = false;
}

bool Events::send(Listener& listener, const EventRef& event) {
    if (listener.is_behind || event->id <= listener.last) return true;
    if (is_for_viewers(listener, event->kind)) {
        if (!is_still_caller(listener)) return false;
        if (!may_see(listener, *event)) return true;
    }
    listener.last = event->id;
    if (!listener.sink->write(event->text())) return false;
    // Whoever ran under a grant that has ended is no caller any more.
    return event->kind != EventKind::grant_ended || listener.on_admin;
}

bool Events::is_still_caller(Listener& listener) const {
    auto caller = house_.callers->find_again(*listener.peer, *listener.caller, house_.time.now());
    if (!caller) return false;
    listener.caller = std::move(*caller);
    return true;
}

void Events::drop_strangers() {
    listeners_.for_each([this](Listener& listener) {
        if (!is_still_caller(listener)) leave(listener.id);
    });
}

bool Events::may_see(const Listener& listener, const Event& event) const {
    const auto& caller = *listener.caller;
    const auto& concerned = event.concerned;
    if (event.kind == EventKind::grant_ended) return is_theirs(caller, concerned.principal, concerned.on_behalf_of);
    return authorize(caller, access::Operation::view, concerned.scope, event.credential, concerned.service).has_value();
}

/// Of what is told from the history: what is over by now is not told.
bool Events::concerns(const Listener& listener, const Event& event) const {
    if (is_for_viewers(listener, event.kind)) return listener.on_admin && may_see(listener, event);
    const auto& caller = *listener.caller;
    switch (event.kind) {
    case EventKind::lease_ended:
        return is_holder(listener, event.concerned);
    case EventKind::lease_expiring: {
        const auto lease = house_.book.find(event.lease);
        return lease && lease->expires_at == event.expires_at && is_holder(listener, event.concerned);
    }
    case EventKind::credential_rotated:
    case EventKind::credential_refreshed: {
        const leases::Which which{
            .credential = event.credential, .principal = caller.principal, .on_behalf_of = caller.on_behalf_of};
        return std::ranges::any_of(house_.book.matching(which), [&](const vocabulary::LeaseId& id) {
            const auto lease = house_.book.find(id);
            return lease && (lease->binding == vocabulary::Binding::none || lease->holder == listener.process);
        });
    }
    case EventKind::broker_sealing:
        return house_.is_closing;
    default:
        return false;
    }
}

void Events::catch_up_ready(const EventId& until) {
    for (const auto id : std::exchange(ready_, {})) {
        auto* listener = listeners_.find(id);
        if (listener != nullptr) {
            catch_up(*listener, until);
        } else {
            behind_.erase(id);
        }
    }
}

/// The first lines: from where on it is told, or that it missed what nobody knows any more.
void Events::greet(Listener& listener, const EventId& until) {
    const bool is_first = !std::exchange(listener.is_greeted, true);
    if (listener.is_lost || listener.last > until || !history_.covers(listener.last)) {
        listener.is_lost = false;
        listener.last = until;
        listener.sink->write(reset_text(until));
    } else if (is_first) {
        listener.sink->write(greeting_text(listener.last));
        if (!listener.comes_back || listener.last >= begun_at_) return;
        for (const auto& event : history_.told_late(listener.last)) {
            if (concerns(listener, *event)) listener.sink->write(event->text());
        }
    }
}

void Events::catch_up(Listener& listener, const EventId& until) {
    const auto id = listener.id;
    if (!is_still_caller(listener)) return leave(id);
    const bool needs_past = listener.comes_back && !listener.is_greeted && !history_.covers(listener.last);
    if (needs_past && past_ != Past::read) return;            // it is being read
    if (listener.last > until && listener.last <= now_id()) { // it came while the log was waited for
        ready_.insert(id);
        return;
    }
    greet(listener, until);
    std::size_t looked_at = 0;
    while (const auto event = history_.next_behind(listener.last)) {
        if (listener.sink->unsent() > unsent_most) return; // `drained` goes on with it
        if (event->id > until || ++looked_at > looked_at_a_turn) {
            ready_.insert(id);
            return;
        }
        listener.last = event->id;
        if (concerns(listener, *event) && !listener.sink->write(event->text())) return leave(id);
    }
    listener.is_behind = false;
    behind_.erase(id);
}

runtime::Task<> Events::read_past() {
    past_ = Past::reading;
    const auto begun_at = begun_at_;
    co_await house_.journal->catch_up();
    auto job = [&journal = *house_.journal, last = begun_at.seq, now = house_.wall()] {
        return read_past_events(journal, last, now);
    };
    auto past = co_await house_.parts.bulk.run(std::move(job));
    const auto credentials = co_await find_credentials(past.events);
    if (begun_at != begun_at_ || !is_active_) co_return; // nobody listened for long; another reading has begun since
    complete(past.events, credentials);
    std::deque<EventRef> earlier;
    for (auto& event : past.events) earlier.push_back(std::make_shared<const Event>(std::move(event)));
    history_.prepend(std::move(earlier), past.begin);
    past_ = Past::read;
    ready_ = behind_;
    wake();
}

/// Where the credentials of those events are, as far as they still are: all are walked over, in slices.
runtime::Task<Events::Placed> Events::find_credentials(const std::deque<Event>& past) const {
    std::unordered_set<vocabulary::CredentialId> wanted;
    for (const auto& event : past) wanted.insert(event.credential);
    Placed found;
    vault::Walk walk{.scopes = house_.vault->all_scopes()};
    const auto note = [&](const vault::Entry& entry) {
        const auto& credential = entry.credential;
        if (!wanted.contains(credential.id)) return;
        found[credential.id] = {.scope = credential.scope, .service = credential.service};
    };
    auto next_turn = [](const runtime::Resume& resume) { resume(); };
    while (house_.vault->walk_on(walk, note)) co_await runtime::suspend(house_.parts.loop, next_turn);
    co_return found;
}

/// What the log does not say, the house knows; of a credential that is no more only its end is told.
void Events::complete(std::deque<Event>& past, const Placed& credentials) const {
    for (auto& event : past) {
        const auto found = credentials.find(event.credential);
        if (event.kind != EventKind::credential_deleted && found != credentials.end()) {
            event.concerned.scope = found->second.scope;
            event.concerned.service = found->second.service;
        }
        if (event.kind != EventKind::lease_ended || !event.concerned.principal.empty()) continue;
        if (const auto ended = house_.book.find_ended(event.lease)) {
            event.concerned.principal = ended->principal;
            event.concerned.on_behalf_of = ended->on_behalf_of;
        }
    }
    std::erase_if(past, [&](const Event& event) {
        const bool is_known = event.kind == EventKind::lease_ended || event.kind == EventKind::grant_ended ||
                              event.kind == EventKind::credential_deleted;
        return !is_known && !credentials.contains(event.credential);
    });
}

} // namespace credlease::broker
