#include "broker/log_memory.hpp"

#include "broker/lease_record.hpp"

#include <charconv>

namespace credlease::broker {
namespace {

using vocabulary::Action;
using vocabulary::AuditRecord;
using vocabulary::LeaseView;

/// "offset=MS" of the broker.started record: the time line of this boot's first daemon.
std::optional<vocabulary::Duration> offset_in(std::string_view detail) {
    constexpr std::string_view name = "offset=";
    const auto at = detail.find(name);
    if (at == std::string_view::npos) return std::nullopt;
    std::int64_t milliseconds = 0;
    const auto* begin = detail.data() + at + name.size();
    if (std::from_chars(begin, detail.data() + detail.size(), milliseconds).ec != std::errc()) return std::nullopt;
    return vocabulary::Duration(milliseconds);
}

std::string boot_text() {
    std::string text;
    for (const auto byte : attestation::boot_id()) {
        constexpr std::string_view digits = "0123456789abcdef";
        text.push_back(digits[byte >> 4]);
        text.push_back(digits[byte & 15]);
    }
    return text;
}

bool is_start_of_this_boot(const AuditRecord& record) {
    return record.action == Action::broker_started && record.detail.contains(boot_text());
}

bool delivers(Action action) {
    return action == Action::lease_issued || action == Action::lease_renewed || action == Action::lease_redelivered;
}

} // namespace

void replay(const LogMemory& into, const AuditRecord& record) {
    if (is_start_of_this_boot(record)) {
        if (const auto offset = offset_in(record.detail)) into.time.keep_offset(*offset);
    }
    if (record.action == Action::broker_sealed) {
        for (const auto& id : into.book.matching({})) into.book.end(id, vocabulary::EndReason::sealed, record.at);
        return;
    }
    if (record.lease_view == nullptr) return;
    into.book.replay(record, into.time.now());
    into.lease_keys.replay(record);
    if (!delivers(record.action)) return;
    if (const auto scope = vocabulary::Scope::find(record.lease_view->scope)) {
        into.note_use(record.credential, *scope, record.at);
    }
}

std::string started_detail(const LeaseTime& time) {
    return "boot=" + boot_text() + " offset=" + std::to_string(time.offset().count());
}

void LogDigest::take(const AuditRecord& record) {
    if (is_start_of_this_boot(record)) started_at_ = record.at;
    if (record.action == Action::credential_deleted) uses_.erase(record.credential);
    const auto note_use = [this](const vocabulary::CredentialId& id, const vocabulary::Scope& scope,
                                 vocabulary::Time at) { uses_.insert_or_assign(id, Use{.scope = scope, .at = at}); };
    replay({.book = book_, .lease_keys = lease_keys_, .time = time_, .note_use = note_use}, record);
}

// The order matters: why a lease ended is told after what its key says of it, and the uses, which are the latest, last.
void LogDigest::give(const Put& put) const {
    give_start(put);
    give_keys(put, false);
    give_ended(put);
    give_leases(put);
    give_keys(put, true);
    give_uses(put);
}

void LogDigest::give_start(const Put& put) const {
    if (started_at_ == vocabulary::Time{}) return;
    const auto detail = started_detail(time_);
    AuditRecord record;
    record.at = started_at_;
    record.action = Action::broker_started;
    record.detail = detail;
    put(record);
}

void LogDigest::give_leases(const Put& put) const {
    for (const auto& id : book_.matching({})) {
        const auto lease = book_.find(id);
        const auto view = view_of(*lease);
        auto record = record_of(*lease, Action::lease_issued, view);
        record.at = lease->issued_at;
        put(record);
    }
}

void LogDigest::give_keys(const Put& put, bool of_live) const {
    using Keys = leases::Idempotency;
    lease_keys_.visit([&](const Keys::Whose& whose, std::string_view key, const Keys::Seen& seen, vocabulary::Time at) {
        const auto lease = book_.find(seen.lease);
        if (lease.has_value() != of_live) return;
        auto view = lease ? view_of(*lease) : LeaseView(); // over since 1970, whatever the replay's clock shows
        view.idempotency_key = key;
        view.body_digest = seen.body_digest;
        auto record = lease ? record_of(*lease, Action::lease_issued, view)
                            : AuditRecord{.lease = seen.lease, .lease_view = &view};
        record.at = at;
        record.action = seen.renewal ? Action::lease_renewed : Action::lease_issued;
        record.principal = whose.principal;
        record.on_behalf_of = whose.on_behalf_of;
        if (seen.with_secret) record.fingerprint.fill(1); // which one it was, the log says
        put(record);
    });
}

void LogDigest::give_ended(const Put& put) const {
    book_.visit_ended([&](const vocabulary::LeaseId& id, const leases::Book::Ended& ended, vocabulary::Time at) {
        const LeaseView view{.expires_at = at, .reason = ended.reason};
        AuditRecord record;
        record.at = at;
        record.action = Action::lease_ended;
        record.principal = ended.principal;
        record.on_behalf_of = ended.on_behalf_of;
        record.credential = ended.credential;
        record.lease = id;
        record.lease_view = &view;
        put(record);
    });
}

void LogDigest::give_uses(const Put& put) const {
    for (const auto& [id, use] : uses_) {
        const auto scope = use.scope.text();
        const LeaseView view{.scope = scope};
        AuditRecord record;
        record.at = use.at;
        record.action = Action::lease_redelivered;
        record.credential = id;
        record.lease_view = &view;
        put(record);
    }
}

runtime::Task<> make_checkpoint(Unsealed& house) {
    auto job = [&house, digest = std::make_shared<LogDigest>(house.time)] {
        return house.journal->checkpoint({.take = [&](const AuditRecord& record) { digest->take(record); },
                                          .give = [&](const LogDigest::Put& put) { digest->give(put); }});
    };
    if (co_await house.parts.bulk.run(std::move(job))) co_return;
    house.parts.tell_problem({.code = result::ErrorCode::store_unavailable,
                              .sentence = "No checkpoint of the audit log could be made: the next start takes longer.",
                              .next_step = "Look for a full disk, and run `credlease audit verify`."});
}

} // namespace credlease::broker
