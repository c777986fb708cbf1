#define BOOST_TEST_DYN_LINK
#include "broker/log_memory.hpp"
#include "leases/sample_leases.hpp"
#include "runtime/loop.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <sstream>

namespace credlease::broker {
namespace {

using namespace std::chrono_literals;
using leases::lease_id;
using leases::noon;
using leases::sample_lease;
using vocabulary::Action;
using vocabulary::AuditRecord;
using vocabulary::EndReason;
using vocabulary::LeaseView;

/// What a broker remembers of the log that it replays.
struct Remembered {
    runtime::Loop loop;
    runtime::HandClock clock{loop, noon};
    LeaseTime time{clock};
    leases::Book book;
    leases::Idempotency lease_keys;
    std::map<vocabulary::CredentialId, vocabulary::Time> uses;

    void take(const AuditRecord& record) {
        replay({.book = book,
                .lease_keys = lease_keys,
                .time = time,
                .note_use = [this](const auto& id, const auto&, vocabulary::Time at) { uses[id] = at; }},
               record);
    }
    /// All of it as text.
    [[nodiscard]] std::string text() {
        std::ostringstream out;
        out << "offset " << time.offset().count() << '\n';
        auto ids = book.matching({});
        std::ranges::sort(ids);
        for (const auto& id : ids) {
            const auto lease = book.find(id).value();
            out << lease.id.text() << ' ' << lease.credential.text() << ' ' << lease.scope << ' ' << lease.version
                << ' ' << lease.generation << ' ' << lease.principal << ' ' << lease.on_behalf_of << ' '
                << lease.grant.text() << ' ' << lease.holder.pid << ' ' << lease.holder.start_time << ' '
                << int{lease.holder.boot_id[0]} << ' ' << lease.uid << ' ' << static_cast<int>(lease.binding) << ' '
                << static_cast<int>(lease.limited_by) << ' ' << lease.fields << ' ' << lease.field_order << ' '
                << lease.workflow << ' ' << lease.run << ' ' << lease.node << ' ' << lease.claimed << ' '
                << lease.issued_at.time_since_epoch().count() << ' ' << lease.expires_at.time_since_epoch().count()
                << ' ' << lease.renewable_until.time_since_epoch().count() << '\n';
        }
        book.visit_ended([&](const auto& id, const leases::Book::Ended&, vocabulary::Time) {
            const auto ended = book.find_ended(id);
            out << "ended " << id.text() << ' ' << vocabulary::text_of(ended->reason).view() << ' '
                << ended->credential.text() << ' ' << ended->principal << '\n';
        });
        for (const auto* key : {"k1", "k2", "k3", "k4"}) {
            const auto* user = key == std::string_view("k2") ? "user:flows/alice" : "";
            const auto seen = lease_keys.find({"worker:etl", user}, key, time.now());
            out << key << ' ' << seen.has_value();
            if (seen) out << ' ' << seen->lease.text() << ' ' << seen->renewal << ' ' << seen->with_secret;
            if (seen) out << ' ' << int{seen->body_digest[0]};
            out << '\n';
        }
        for (const auto& [id, at] : uses) out << id.text() << " used " << at.time_since_epoch().count() << '\n';
        return out.str();
    }
};

LeaseView view_of(const leases::Lease& lease, std::string_view key = {}, std::uint8_t digest = 0) {
    return {.expires_at = lease.expires_at,
            .renewable_until = lease.renewable_until,
            .binding = lease.binding,
            .limited_by = lease.limited_by,
            .holder_start = lease.holder.start_time,
            .boot_id = lease.holder.boot_id,
            .fields = lease.fields,
            .field_order = lease.field_order,
            .scope = lease.scope,
            .idempotency_key = key,
            .body_digest = {digest}};
}

AuditRecord record_of(const leases::Lease& lease, Action action, const LeaseView& view, vocabulary::Time at) {
    AuditRecord record;
    record.at = at;
    record.action = action;
    record.principal = lease.principal;
    record.on_behalf_of = lease.on_behalf_of;
    record.peer = {.pid = lease.holder.pid, .uid = lease.uid};
    record.credential = lease.credential;
    record.version = lease.version;
    record.generation = lease.generation;
    record.fingerprint = {1};
    record.lease = lease.id;
    record.grant = lease.grant;
    record.workflow = lease.workflow;
    record.run = lease.run;
    record.node = lease.node;
    record.claimed = lease.claimed;
    record.lease_view = &view;
    return record;
}

/// A day in the log, told to whoever listens.
template <class Listener> void tell_day(Listener& listener) {
    runtime::Loop loop;
    runtime::HandClock earlier(loop, noon - 5min);
    const auto started = started_detail(LeaseTime(earlier));
    listener.take({.at = noon - 2h, .action = Action::broker_started, .detail = started});
    const auto issue = [&](const leases::Lease& lease, std::string_view key, Action action = Action::lease_issued) {
        const auto view = view_of(lease, key, 7);
        listener.take(record_of(lease, action, view, lease.issued_at));
    };
    const auto end = [&](const leases::Lease& lease, EndReason reason) {
        LeaseView view = view_of(lease);
        view.reason = reason;
        listener.take(record_of(lease, Action::lease_ended, view, noon - 1min));
    };
    issue(sample_lease(1), "k1");
    auto full = sample_lease(2);
    full.on_behalf_of = "user:flows/alice";
    full.grant = leases::grant_id(3);
    full.credential = leases::credential_id(2);
    full.limited_by = vocabulary::LimitedBy::grant;
    full.fields = 5;
    full.field_order = 77;
    full.claimed = false;
    full.binding = vocabulary::Binding::none;
    full.holder = {};
    issue(full, "");
    full.expires_at = noon + 40min;
    full.generation = 50;
    issue(full, "k2", Action::lease_renewed);
    auto over = sample_lease(3);
    over.expires_at = noon - 10min;
    issue(over, "");
    for (const auto& [number, reason] :
         {std::pair(4, EndReason::released), std::pair(5, EndReason::grant_ended), std::pair(6, EndReason::sealed)}) {
        issue(sample_lease(static_cast<std::uint64_t>(number)), number == 4 ? "k3" : "");
        end(sample_lease(static_cast<std::uint64_t>(number)), reason);
    }
    auto gone = sample_lease(7);
    gone.credential = leases::credential_id(9);
    issue(gone, "");
    end(gone, EndReason::credential_deleted);
    listener.take({.at = noon, .action = Action::credential_deleted, .credential = gone.credential});
}

BOOST_AUTO_TEST_CASE(a_digest_of_the_log_brings_back_all_that_its_replay_would) {
    Remembered whole;
    tell_day(whole);
    LogDigest digest{LeaseTime(whole.clock)};
    tell_day(digest);
    Remembered again;
    std::size_t told = 0;
    digest.give([&](const AuditRecord& record) {
        ++told;
        again.take(record);
    });
    whole.uses.erase(leases::credential_id(9)); // nobody asks when a deleted one was used
    BOOST_TEST(again.text() == whole.text());
    BOOST_TEST(whole.text().contains("k2 1 " + lease_id(2).text() + " 1 1 7"));
    BOOST_TEST(whole.text().contains("ended " + lease_id(3).text() + " expired"));
    BOOST_TEST(told < 16U);
}

BOOST_AUTO_TEST_CASE(a_digest_of_a_digest_and_what_came_after_is_the_same_again) {
    Remembered whole;
    tell_day(whole);
    auto later = sample_lease(8);
    const auto view = view_of(later, "k4", 9);
    const auto record = record_of(later, Action::lease_issued, view, noon);
    whole.take(record);

    LogDigest first{LeaseTime(whole.clock)};
    tell_day(first);
    LogDigest second{LeaseTime(whole.clock)};
    first.give([&](const AuditRecord& told) { second.take(told); });
    second.take(record);
    Remembered again;
    second.give([&](const AuditRecord& told) { again.take(told); });
    whole.uses.erase(leases::credential_id(9));
    BOOST_TEST(again.text() == whole.text());
}

BOOST_AUTO_TEST_CASE(sealing_ends_what_lived_and_says_why) {
    Remembered memory;
    tell_day(memory);
    memory.take({.at = noon, .action = Action::broker_sealed});
    BOOST_TEST(memory.book.size() == 0U);
    BOOST_REQUIRE(memory.book.find_ended(lease_id(1)).has_value());
    BOOST_TEST((memory.book.find_ended(lease_id(1))->reason == EndReason::sealed));
    BOOST_TEST((memory.book.find_ended(lease_id(4))->reason == EndReason::released));
}

} // namespace
} // namespace credlease::broker
