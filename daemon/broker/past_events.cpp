#include "broker/past_events.hpp"

#include "broker/grants.hpp"
#include "broker/keep_tokens.hpp"
#include "broker/status_change.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <charconv>
#include <unordered_set>

namespace credlease::broker {
namespace {

using vocabulary::Action;
using vocabulary::AuditRecord;
using vocabulary::CredentialStatus;

constexpr std::size_t parts_at_a_time = 16;

/// What a record says of its credential's status; nullptr: it stayed.
const vocabulary::ChangeView* status_in(const AuditRecord& record) {
    const auto found = std::ranges::find(record.changes, StatusChange::member, &vocabulary::ChangeView::member);
    return found == record.changes.end() ? nullptr : &*found;
}

std::optional<CredentialStatus> status_of(const AuditRecord& record) {
    if (record.action == Action::credential_expired) return CredentialStatus::expired;
    const auto* change = status_in(record);
    return change == nullptr ? std::nullopt : vocabulary::find_status(change->after);
}

/// Nobody held the tokens of before: there were none.
bool is_first_connection(const AuditRecord& record) {
    const auto* change = status_in(record);
    return change != nullptr && change->before == name_of(CredentialStatus::pending);
}

/// What was refused changed nothing; but a provider's refusal changes what the credential is.
bool has_changed(const AuditRecord& record) {
    return record.ok || record.action == Action::oauth_refresh_failed || record.action == Action::oauth_in_doubt;
}

std::vector<EventKind> kinds_by_action(const AuditRecord& record) {
    switch (record.action) {
    case Action::lease_released:
    case Action::lease_ended:
        return {EventKind::lease_ended};
    case Action::credential_created:
    case Action::credential_duplicated:
        return {EventKind::credential_created};
    case Action::credential_edited:
        return {EventKind::credential_updated};
    case Action::credential_rotated:
    case Action::credential_rolled_back:
        return {EventKind::credential_rotated, EventKind::credential_updated};
    case Action::credential_deleted:
        return {EventKind::credential_deleted};
    case Action::oauth_connected:
        if (is_first_connection(record)) return {};
        return {EventKind::credential_rotated, EventKind::credential_updated};
    case Action::oauth_refreshed:
        if (!record.detail.starts_with(lost_scopes)) return {EventKind::credential_refreshed};
        return {EventKind::credential_refreshed, EventKind::credential_updated};
    case Action::oauth_ending:
        return {EventKind::credential_ending};
    case Action::grant_withdrawn:
    case Action::grant_ended:
        return {EventKind::grant_ended};
    default:
        return {};
    }
}

/// The events that a record tells of, in the order in which they were told.
std::vector<EventKind> kinds_of(const AuditRecord& record) {
    if (!has_changed(record)) return {};
    auto kinds = kinds_by_action(record);
    if (status_of(record)) kinds.push_back(EventKind::credential_status_changed);
    return kinds;
}

/// Ended by an operator one by one, a lease's record says who did that, and of the holder when its process started.
Concerned holder_in(const AuditRecord& record) {
    const auto& view = *record.lease_view;
    const bool is_by_operator = record.action == Action::lease_ended && record.request != vocabulary::RequestId();
    Concerned holder;
    if (!is_by_operator) {
        holder.principal = record.principal;
        holder.on_behalf_of = record.on_behalf_of;
    }
    if (view.binding == vocabulary::Binding::process) {
        holder.process = {
            .pid = is_by_operator ? 0 : record.peer.pid, .start_time = view.holder_start, .boot_id = view.boot_id};
    }
    return holder;
}

/// As clock_warnings.cpp writes it.
void read_ending(std::string_view detail, Event& event) {
    event.clock = oauth::find_clock(detail.substr(0, detail.find(' ')));
    if (const auto end = vocabulary::read_time(detail.substr(detail.rfind(' ') + 1))) event.expires_at = *end;
}

Event event_of(const AuditRecord& record, EventKind kind, std::uint32_t count) {
    Event event{.id = {.seq = record.seq, .count = count},
                .kind = kind,
                .at = record.at,
                .credential = record.credential,
                .version = record.version,
                .generation = record.generation,
                .lease = record.lease,
                .grant = record.grant};
    event.is_of_change = kind != EventKind::lease_ended && record.action != Action::credential_expired &&
                         record.action != Action::oauth_ending;
    if (kind == EventKind::lease_ended) {
        event.grant = {};
        event.reason = record.lease_view->reason;
        event.concerned = holder_in(record);
    } else if (kind == EventKind::credential_deleted) {
        event.concerned.scope = vocabulary::Scope::find(record.detail).value_or(vocabulary::Scope());
    } else if (kind == EventKind::grant_ended) {
        const Minter itself{.principal = record.principal, .on_behalf_of = record.on_behalf_of};
        const auto minter = find_minter(record.detail).value_or(itself); // an operator withdraws what others minted
        event.concerned.principal = minter.principal;
        event.concerned.on_behalf_of = minter.on_behalf_of;
    } else {
        event.grant = {};
    }
    if (kind == EventKind::credential_status_changed) event.status = status_of(record);
    if (kind == EventKind::credential_ending) read_ending(record.detail, event);
    return event;
}

/// Reads the log backward, until enough was seen.
class Looking {
  public:
    Looking(vocabulary::Time since, std::uint64_t end) : since_(since), lowest_(end) {}

    /// As `Journal::Query::keep`.
    bool wants(const AuditRecord& record) {
        lowest_ = std::min(lowest_, record.seq);
        const bool is_old = record.at < since_;
        has_seen_older_ = has_seen_older_ || is_old;
        if (record.action == Action::change_not_made) note_not_made(record.detail);
        const bool is_lease = record.lease != vocabulary::LeaseId();
        const auto kinds = kinds_of(record);
        if (kinds.empty() || is_lease != (record.lease_view != nullptr)) return false;
        if (is_old) too_old_ = std::max(too_old_, last_of(record.seq, kinds.size()));
        return !is_old;
    }
    /// The newest record first.
    void take(const AuditRecord& record) {
        const auto kinds = kinds_of(record);
        for (auto count = static_cast<std::uint32_t>(kinds.size()); count > 0; --count) {
            events_.push_front(event_of(record, kinds[count - 1], count));
        }
    }
    [[nodiscard]] bool is_done() const { return has_seen_older_ || events_.size() >= wire::limits::events_kept; }
    /// `next`: where the last query would go on below.
    [[nodiscard]] PastEvents found(std::uint64_t next) {
        std::erase_if(events_, [this](const Event& event) { return not_made_.contains(event.id.seq); });
        const auto first = next != 0 ? next : lowest_;
        return {.events = std::move(events_), .begin = std::max(too_old_, last_of(first - 1, past_events_of_a_record))};
    }

  private:
    /// Behind it no event of that record is missing, which tells of so many.
    static EventId last_of(std::uint64_t seq, std::size_t events) {
        return {.seq = seq, .count = static_cast<std::uint32_t>(events)};
    }
    void note_not_made(std::string_view seq) {
        std::uint64_t number = 0;
        if (std::from_chars(seq.data(), seq.data() + seq.size(), number).ec == std::errc()) not_made_.insert(number);
    }

    vocabulary::Time since_;
    std::uint64_t lowest_; ///< record that was looked at
    bool has_seen_older_ = false;
    EventId too_old_{}; ///< the latest that is not read again, since nobody may ask for it
    std::deque<Event> events_;
    std::unordered_set<std::uint64_t> not_made_; ///< changes that did not reach the store
};

} // namespace

PastEvents read_past_events(const audit::Journal& journal, std::uint64_t last, vocabulary::Time now) {
    Looking looking(now - wire::limits::events_kept_for, last + 1);
    audit::Journal::Query query;
    query.before = last + 1;
    query.limit = wire::limits::events_kept;
    query.parts = parts_at_a_time;
    query.keep = [&](const AuditRecord& record) { return looking.wants(record); };
    const auto show = [&](const AuditRecord& record) { looking.take(record); };
    do {
        const auto next = journal.query(query, show);
        if (!next) return looking.found(query.before); // what does not verify is not told of
        query.before = *next;
    } while (query.before != 0 && !looking.is_done());
    return looking.found(query.before);
}

} // namespace credlease::broker
