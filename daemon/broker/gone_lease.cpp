#include "broker/gone_lease.hpp"

namespace credlease::broker {
namespace {

using vocabulary::Action;
using vocabulary::AuditRecord;
using vocabulary::EndReason;

/// What the log tells of one lease: whose it was, and its latest record.
struct Story {
    bool is_told = false;
    std::string principal; ///< the holder, who is not always who ended it
    std::string on_behalf_of;
    EndReason reason = EndReason::expired;
    vocabulary::Time ended_at{};
};

/// What helps whoever held it: a new lease, where there can be one.
result::StaticText next_step_after(EndReason reason) {
    switch (reason) {
    case EndReason::credential_revoked:
        return "Ask its owner to restore it (credlease restore) or to give you another.";
    case EndReason::credential_deleted:
    case EndReason::scope_changed:
        return "Ask its owner for it anew, or for another credential.";
    case EndReason::grant_ended:
        return "Ask the engine for a new grant.";
    default:
        return "Ask for a new one with POST /v1/leases (credlease lease).";
    }
}

bool delivers(Action action) { return action == Action::lease_issued || action == Action::lease_renewed; }
bool ends(Action action) { return action == Action::lease_released || action == Action::lease_ended; }

audit::Journal::Query query_of(const vocabulary::LeaseId& lease, bool (*wanted)(Action)) {
    audit::Journal::Query query;
    query.lease = lease;
    query.limit = 1;
    query.keep = [wanted](const AuditRecord& record) {
        return record.ok && record.lease_view != nullptr && wanted(record.action);
    };
    return query;
}

/// The end that no record of the lease tells: its time, or a seal before that.
bool find_silent_end(const audit::Journal& journal, vocabulary::Time from, Story& story) {
    audit::Journal::Query seals;
    seals.action = name_of(Action::broker_sealed);
    seals.since = from;
    seals.until = story.ended_at;
    bool is_read = true;
    // The first seal ended it; they are shown newest first.
    do {
        auto next = journal.query(seals, [&](const AuditRecord& record) {
            story.reason = EndReason::sealed;
            story.ended_at = record.at;
        });
        is_read = next.has_value();
        seals.before = next.value_or(0);
    } while (seals.before != 0);
    return is_read;
}

/// On `bulk`. Nothing is told when the log can't be read.
Story read_story(const audit::Journal& journal, const vocabulary::LeaseId& lease) {
    Story story;
    vocabulary::Time delivered_at{};
    const auto take_delivery = [&](const AuditRecord& record) {
        story.is_told = true;
        story.principal = record.principal;
        story.on_behalf_of = record.on_behalf_of;
        story.ended_at = record.lease_view->expires_at;
        delivered_at = record.at;
    };
    bool is_ended = false;
    const auto take_end = [&](const AuditRecord& record) {
        is_ended = true;
        story.reason = record.lease_view->reason;
        story.ended_at = record.at;
    };
    bool is_read = journal.query(query_of(lease, delivers), take_delivery).has_value();
    is_read = is_read && journal.query(query_of(lease, ends), take_end).has_value();
    if (is_read && story.is_told && !is_ended) is_read = find_silent_end(journal, delivered_at, story);
    story.is_told = story.is_told && is_read;
    return story;
}

} // namespace

result::Error lease_not_found() {
    return {.code = result::ErrorCode::lease_not_found,
            .sentence = "There is no such lease that is yours.",
            .next_step = "Ask for a new one with POST /v1/leases (credlease lease)."};
}

result::Error lease_ended(EndReason reason) {
    result::Error error{.code = result::ErrorCode::lease_ended,
                        .sentence = "The lease has ended.",
                        .next_step = next_step_after(reason),
                        .reason = vocabulary::text_of(reason)};
    if (reason == EndReason::credential_revoked) error.sentence = "credential revoked";
    return error;
}

bool must_look_up(const Unsealed& house, std::string_view lease) {
    const auto id = vocabulary::LeaseId::find(lease);
    return id && !house.book.find(*id) && !house.book.find_ended(*id) && house.book.may_have_forgotten(*id);
}

runtime::Task<result::Error> look_up_ended(Unsealed& house, Asker asker, std::string lease) {
    const auto id = vocabulary::LeaseId::find(lease);
    if (!id) co_return lease_not_found();
    std::vector<std::string> keys{"gone leases:" + asker.caller->principal};
    auto pass = co_await house.gate.enter(std::move(keys));
    co_await house.journal->catch_up();
    auto job = [&house, id = *id] { return read_story(*house.journal, id); };
    const Story story = co_await house.parts.bulk.run(std::move(job));
    const auto& caller = *asker.caller;
    const bool was_theirs = story.principal == caller.principal && story.on_behalf_of == caller.on_behalf_of;
    const bool may_know = was_theirs || caller.is_operator();
    const auto now = house.time.now();
    const bool is_known = story.is_told && story.ended_at <= now && story.ended_at + leases::Book::known_for >= now;
    co_return is_known&& may_know ? lease_ended(story.reason) : lease_not_found();
}

} // namespace credlease::broker
