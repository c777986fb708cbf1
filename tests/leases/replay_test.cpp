#define BOOST_TEST_DYN_LINK
#include "leases/sample_leases.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::leases {
namespace {

using vocabulary::Action;
using vocabulary::AuditRecord;
using vocabulary::EndReason;

/// The record of one thing that happened to a lease, as the journal brings it.
struct Written {
    vocabulary::LeaseView view;
    AuditRecord record;

    explicit Written(Action action, std::uint64_t number = 1, vocabulary::Time at = noon) {
        view.expires_at = at + 15min;
        view.renewable_until = noon + 24h;
        view.holder_start = 1000;
        view.boot_id = {1, 2, 3};
        view.fields = 6;
        view.scope = "workspace:acme";
        record.at = at;
        record.action = action;
        record.principal = "worker:etl";
        record.on_behalf_of = "user:flows/alice";
        record.peer = {.pid = 4711, .uid = 998};
        record.credential = credential_id(1);
        record.version = 3;
        record.generation = 41;
        record.lease = lease_id(number);
        record.grant = grant_id(5);
        record.workflow = "nightly";
        record.run = "42";
        record.node = "s3";
        record.lease_view = &view;
    }
    Written(const Written&) = delete;
    Written& operator=(const Written&) = delete;
};

BOOST_AUTO_TEST_CASE(a_lease_issued_in_the_journal_lives_again) {
    Book book;
    book.replay(Written(Action::lease_issued).record, noon + 1min);
    const auto lease = book.find(lease_id(1));
    BOOST_REQUIRE(lease);
    BOOST_TEST((lease->holder == holder(4711) && lease->credential == credential_id(1) && lease->grant == grant_id(5)));
    BOOST_TEST((lease->issued_at == noon && lease->expires_at == noon + 15min && lease->renewable_until == noon + 24h));
    BOOST_TEST(lease->scope == "workspace:acme");
    BOOST_TEST(lease->principal == "worker:etl");
    BOOST_TEST(lease->on_behalf_of == "user:flows/alice");
    BOOST_TEST(lease->uid == 998U);
    BOOST_TEST(lease->fields == 6U);
    BOOST_TEST(lease->version == 3U);
    BOOST_TEST(lease->generation == 41U);
    BOOST_TEST(lease->workflow == "nightly");
    BOOST_TEST(lease->run == "42");
    BOOST_TEST(lease->node == "s3");
    BOOST_TEST(!lease->claimed);
}

BOOST_AUTO_TEST_CASE(a_renewal_in_the_journal_moves_the_end) {
    Book book;
    book.replay(Written(Action::lease_issued).record, noon + 20min);
    Written renewal(Action::lease_renewed, 1, noon + 10min);
    renewal.record.version = 4;
    book.replay(renewal.record, noon + 20min);
    const auto lease = book.find(lease_id(1));
    BOOST_REQUIRE(lease); // though the issue's own end has passed
    BOOST_TEST((lease->expires_at == noon + 25min && lease->issued_at == noon));
    BOOST_TEST(lease->version == 4U);
    BOOST_TEST(book.expire(noon + 24min, 10, [](const Lease&) {}) == 0U);
    BOOST_TEST(book.expire(noon + 25min, 10, [](const Lease&) {}) == 1U);
}

BOOST_AUTO_TEST_CASE(a_renewal_of_a_lease_that_lives_moves_the_end) {
    Book book;
    book.replay(Written(Action::lease_issued).record, noon);
    book.replay(Written(Action::lease_renewed, 1, noon + 10min).record, noon);
    BOOST_TEST(book.size() == 1U);
    BOOST_TEST((book.find(lease_id(1))->expires_at == noon + 25min));
}

BOOST_AUTO_TEST_CASE(what_ended_in_the_journal_stays_ended_and_why_is_known) {
    for (const Action action : {Action::lease_released, Action::lease_ended}) {
        Book book;
        book.replay(Written(Action::lease_issued).record, noon + 5min);
        Written end(action, 1, noon + 1min);
        end.view.reason = EndReason::credential_revoked;
        book.replay(end.record, noon + 5min);
        BOOST_TEST(book.size() == 0U);
        const auto ended = book.find_ended(lease_id(1));
        BOOST_REQUIRE(ended);
        BOOST_TEST((ended->reason == EndReason::credential_revoked && ended->credential == credential_id(1)));
        BOOST_TEST(ended->principal == "worker:etl");
    }
}

BOOST_AUTO_TEST_CASE(a_lease_whose_time_passed_while_nobody_ran_is_left_out_and_known_as_expired) {
    Book book;
    book.replay(Written(Action::lease_issued).record, noon + 15min);
    BOOST_TEST(book.size() == 0U);
    BOOST_REQUIRE(book.find_ended(lease_id(1)));
    BOOST_TEST((book.find_ended(lease_id(1))->reason == EndReason::expired));
}

BOOST_AUTO_TEST_CASE(what_ended_more_than_24_hours_ago_is_not_brought_back) {
    Book book;
    book.replay(Written(Action::lease_ended).record, noon + 24h + 1ms);
    BOOST_TEST(!book.find_ended(lease_id(1)));
}

BOOST_AUTO_TEST_CASE(a_redelivery_or_a_refusal_in_the_journal_changes_nothing) {
    Book book;
    book.replay(Written(Action::lease_redelivered).record, noon);
    book.replay(Written(Action::lease_refused).record, noon);
    Written failed(Action::lease_issued);
    failed.record.ok = false;
    book.replay(failed.record, noon);
    AuditRecord other;
    other.action = Action::credential_revoked;
    book.replay(other, noon);
    BOOST_TEST(book.size() == 0U);

    book.replay(Written(Action::lease_issued).record, noon);
    book.replay(Written(Action::lease_redelivered, 1, noon + 5min).record, noon);
    BOOST_TEST((book.find(lease_id(1))->expires_at == noon + 15min));
}

BOOST_AUTO_TEST_CASE(a_record_replayed_twice_counts_once) {
    Book book;
    book.replay(Written(Action::lease_issued).record, noon);
    book.replay(Written(Action::lease_issued).record, noon);
    BOOST_TEST(book.size() == 1U);
    BOOST_TEST(book.held_by("worker:etl") == 1U);
}

BOOST_AUTO_TEST_CASE(a_lowered_limit_ends_no_lease_that_the_journal_brings_back) {
    Book book(1);
    for (std::uint64_t i = 0; i < 3; ++i) book.replay(Written(Action::lease_issued, i).record, noon);
    BOOST_TEST(book.size() == 3U);
}

} // namespace
} // namespace credlease::leases
