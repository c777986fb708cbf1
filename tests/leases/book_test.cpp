#define BOOST_TEST_DYN_LINK
#include "leases/sample_leases.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>
#include <vector>

namespace credlease::leases {
namespace {

using vocabulary::EndReason;

BOOST_AUTO_TEST_CASE(a_lease_is_found_by_its_id_with_all_that_was_said_of_it) {
    Book book;
    Lease given = sample_lease(1);
    given.on_behalf_of = "user:flows/alice";
    given.grant = grant_id(5);
    given.fields = 6;
    given.claimed = false;
    given.limited_by = vocabulary::LimitedBy::token;
    BOOST_REQUIRE(book.issue(given));

    const auto found = book.find(given.id);
    BOOST_REQUIRE(found);
    BOOST_TEST((found->id == given.id && found->credential == given.credential && found->grant == given.grant));
    BOOST_TEST((found->holder == given.holder && found->binding == vocabulary::Binding::process));
    BOOST_TEST((found->limited_by == given.limited_by && !found->claimed));
    BOOST_TEST((found->issued_at == given.issued_at && found->expires_at == given.expires_at &&
                found->renewable_until == given.renewable_until));
    BOOST_TEST(found->scope == "workspace:acme");
    BOOST_TEST(found->version == 3U);
    BOOST_TEST(found->generation == 41U);
    BOOST_TEST(found->principal == "worker:etl");
    BOOST_TEST(found->on_behalf_of == "user:flows/alice");
    BOOST_TEST(found->uid == 998U);
    BOOST_TEST(found->fields == 6U);
    BOOST_TEST(found->workflow == "nightly");
    BOOST_TEST(found->run == "42");
    BOOST_TEST(found->node == "s3");
    BOOST_TEST(!book.find(lease_id(2)));
}

BOOST_AUTO_TEST_CASE(a_lease_keeps_its_texts_when_those_who_gave_them_have_gone) {
    Book book;
    {
        std::string principal = "worker:of-the-moment";
        const std::string node(2000, 'n'); // longer than any block
        Lease lease = sample_lease(1);
        lease.principal = principal;
        lease.node = node;
        BOOST_REQUIRE(book.issue(lease));
        principal.assign(principal.size(), '?');
    }
    BOOST_TEST(book.find(lease_id(1))->principal == "worker:of-the-moment");
    BOOST_TEST(book.find(lease_id(1))->node == std::string(2000, 'n'));
}

BOOST_AUTO_TEST_CASE(an_unbound_lease_has_no_holder_and_outlives_the_process) {
    Book book;
    Lease lease = sample_lease(1);
    lease.binding = vocabulary::Binding::none;
    BOOST_REQUIRE(book.issue(lease));
    BOOST_TEST((book.find(lease.id)->binding == vocabulary::Binding::none));
    BOOST_TEST((book.find(lease.id)->holder == Holder{}));
    BOOST_TEST(book.matching({.holder = lease.holder}).empty());
}

BOOST_AUTO_TEST_CASE(a_lease_of_the_same_id_is_not_issued_twice) {
    Book book;
    BOOST_REQUIRE(book.issue(sample_lease(1)));
    BOOST_TEST(!book.issue(sample_lease(1)));
    BOOST_TEST(book.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_caller_holds_no_more_leases_than_it_may) {
    Book book(3);
    for (std::uint64_t i = 0; i < 3; ++i) BOOST_REQUIRE(book.issue(sample_lease(i)));
    const auto refused = book.issue(sample_lease(3));
    BOOST_REQUIRE(!refused);
    BOOST_TEST((refused.error().code == result::ErrorCode::rate_limited));
    BOOST_TEST(refused.error().retry_after_seconds.has_value());
    BOOST_TEST(book.held_by("worker:etl") == 3U);

    Lease other = sample_lease(4);
    other.principal = "worker:web";
    BOOST_TEST(book.issue(other).has_value());

    BOOST_TEST(book.end(lease_id(1), EndReason::released, noon));
    BOOST_TEST(book.issue(sample_lease(5)).has_value());
    BOOST_TEST(!book.issue(sample_lease(6)));
    book.set_per_principal(4);
    BOOST_TEST(book.issue(sample_lease(6)).has_value());
}

BOOST_AUTO_TEST_CASE(one_caller_is_counted_over_all_its_processes_actors_and_grants) {
    Book book(4);
    for (std::uint64_t i = 0; i < 4; ++i) {
        Lease lease = sample_lease(i);
        lease.principal = "engine:flows";
        lease.holder = holder(static_cast<std::int32_t>(i));
        lease.on_behalf_of = i % 2 == 0 ? "user:flows/alice" : "user:flows/bob";
        BOOST_REQUIRE(book.issue(lease));
    }
    Lease fifth = sample_lease(5);
    fifth.principal = "engine:flows";
    BOOST_TEST(!book.issue(fifth));
    BOOST_TEST(book.held_by("engine:flows") == 4U);
    BOOST_TEST(book.held_by("engine:other") == 0U);
}

BOOST_AUTO_TEST_CASE(a_renewal_moves_the_end_and_what_was_delivered) {
    Book book;
    BOOST_REQUIRE(book.issue(sample_lease(1)));
    BOOST_TEST(book.renew(lease_id(1), {.expires_at = noon + 1h,
                                        .limited_by = vocabulary::LimitedBy::grant,
                                        .version = 4,
                                        .generation = 1,
                                        .fields = 2,
                                        .field_order = 9}));
    const auto lease = book.find(lease_id(1));
    BOOST_TEST((lease->expires_at == noon + 1h && lease->limited_by == vocabulary::LimitedBy::grant));
    BOOST_TEST(lease->version == 4U);
    BOOST_TEST(lease->generation == 1U);
    BOOST_TEST(lease->fields == 2U);
    BOOST_TEST(lease->field_order == 9U);
    BOOST_TEST((lease->issued_at == noon && lease->renewable_until == noon + 24h));
    BOOST_TEST(!book.renew(lease_id(2), {.expires_at = noon + 1h}));
}

BOOST_AUTO_TEST_CASE(an_ended_lease_is_gone_and_why_it_ended_is_known) {
    Book book;
    BOOST_REQUIRE(book.issue(sample_lease(1)));
    BOOST_TEST(!book.find_ended(lease_id(1)));
    BOOST_TEST(book.end(lease_id(1), EndReason::credential_revoked, noon));
    BOOST_TEST(!book.find(lease_id(1)));
    BOOST_TEST(book.size() == 0U);
    const auto ended = book.find_ended(lease_id(1));
    BOOST_REQUIRE(ended);
    BOOST_TEST((ended->reason == EndReason::credential_revoked && ended->credential == credential_id(1)));
    BOOST_TEST(ended->principal == "worker:etl");
    BOOST_TEST(!book.end(lease_id(1), EndReason::released, noon));
    BOOST_TEST((book.find_ended(lease_id(1))->reason == EndReason::credential_revoked));
}

BOOST_AUTO_TEST_CASE(why_a_lease_ended_is_known_for_24_hours) {
    Book book;
    BOOST_REQUIRE(book.issue(sample_lease(1)));
    BOOST_TEST(book.end(lease_id(1), EndReason::released, noon));
    book.expire(noon + 24h, 100, [](const Lease&) {});
    BOOST_TEST(book.find_ended(lease_id(1)).has_value());
    book.expire(noon + 24h + 1ms, 100, [](const Lease&) {});
    BOOST_TEST(!book.find_ended(lease_id(1)));
}

BOOST_AUTO_TEST_CASE(why_they_ended_is_known_of_the_last_100000) {
    Book book;
    for (std::uint64_t i = 0; i <= 100'000; ++i) {
        BOOST_REQUIRE(book.issue(sample_lease(i)));
        BOOST_REQUIRE(book.end(lease_id(i), EndReason::released, noon));
    }
    BOOST_TEST(!book.find_ended(lease_id(0)));
    BOOST_TEST(book.find_ended(lease_id(1)).has_value());
    BOOST_TEST(book.find_ended(lease_id(100'000)).has_value());
}

BOOST_AUTO_TEST_CASE(the_log_is_to_be_asked_only_of_a_lease_that_the_book_may_have_forgotten) {
    Book book;
    for (std::uint64_t i = 0; i <= 100'000; ++i) {
        if (i < 100'000) BOOST_REQUIRE(!book.may_have_forgotten(lease_id(0)));
        BOOST_REQUIRE(book.issue(sample_lease(i)));
        BOOST_REQUIRE(book.end(lease_id(i), EndReason::released, noon));
    }
    BOOST_TEST(book.may_have_forgotten(lease_id(0)));
    BOOST_TEST(!book.may_have_forgotten(lease_id(123'456, noon + 2h))); // made after the oldest end that is known
    book.expire(noon + 24h + 1ms, 100, [](const Lease&) {});
    BOOST_TEST(!book.may_have_forgotten(lease_id(0))); // too long ago by now
}

BOOST_AUTO_TEST_CASE(a_forgotten_lease_was_never_there) {
    Book book;
    BOOST_REQUIRE(book.issue(sample_lease(1)));
    book.forget(lease_id(1));
    book.forget(lease_id(2));
    BOOST_TEST(!book.find(lease_id(1)));
    BOOST_TEST(!book.find_ended(lease_id(1)));
    BOOST_TEST(book.held_by("worker:etl") == 0U);
    BOOST_TEST(!book.next_expiry());
}

BOOST_AUTO_TEST_CASE(a_cleared_book_knows_nothing_and_keeps_its_limit) {
    Book book(1);
    BOOST_REQUIRE(book.issue(sample_lease(1)));
    BOOST_REQUIRE(book.end(lease_id(1), EndReason::sealed, noon));
    BOOST_REQUIRE(book.issue(sample_lease(2)));
    book.clear();
    BOOST_TEST(book.size() == 0U);
    BOOST_TEST(!book.find_ended(lease_id(1)));
    BOOST_TEST(book.issue(sample_lease(3)).has_value());
    BOOST_TEST(!book.issue(sample_lease(4)));
}

/// One way to look for leases, drawn at random from what the leases below may have.
struct Sample {
    std::mt19937_64 random{1};
    std::uint64_t below(std::uint64_t most) { return random() % most; }

    static constexpr std::string_view principals[] = {"worker:etl", "engine:flows", "operator:root"};
    static constexpr std::string_view users[] = {"", "user:flows/alice", "user:flows/bob"};
    static constexpr std::string_view workflows[] = {"", "nightly", "hourly"};
    static constexpr std::string_view runs[] = {"", "1", "2", "3"};

    Lease lease(std::uint64_t number) {
        Lease made = sample_lease(number);
        made.credential = credential_id(below(5));
        made.principal = principals[below(3)];
        made.on_behalf_of = users[below(3)];
        if (below(2) == 0) made.grant = grant_id(below(4));
        made.holder = holder(static_cast<std::int32_t>(below(6)));
        made.binding = below(3) == 0 ? vocabulary::Binding::none : vocabulary::Binding::process;
        made.workflow = workflows[below(3)];
        made.run = runs[below(4)];
        return made;
    }
    Which which() {
        Which made;
        if (below(3) == 0) made.credential = credential_id(below(6));
        if (below(3) == 0) made.grant = grant_id(below(5));
        if (below(3) == 0) made.holder = holder(static_cast<std::int32_t>(below(7)));
        if (below(3) == 0) made.principal = principals[below(3)];
        if (below(4) == 0) made.principal = "worker:nobody";
        if (below(3) == 0) made.on_behalf_of = users[below(3)];
        if (below(3) == 0) made.workflow = workflows[below(3)];
        if (below(3) == 0) made.run = runs[below(4)];
        return made;
    }
};

bool matches(const Lease& lease, const Which& which) {
    return (!which.credential || lease.credential == *which.credential) &&
           (!which.grant || lease.grant == *which.grant) &&
           (!which.holder || (lease.binding == vocabulary::Binding::process && lease.holder == *which.holder)) &&
           (which.principal.empty() || lease.principal == which.principal) &&
           (which.on_behalf_of.empty() || lease.on_behalf_of == which.on_behalf_of) &&
           (which.workflow.empty() || lease.workflow == which.workflow) &&
           (which.run.empty() || lease.run == which.run);
}

BOOST_AUTO_TEST_CASE(leases_are_found_by_any_mix_of_what_is_known_of_them) {
    Book book;
    Sample sample;
    std::vector<Lease> live;
    for (std::uint64_t round = 0; round < 3000; ++round) {
        live.push_back(sample.lease(sample.random()));
        BOOST_REQUIRE(book.issue(live.back()));
        if (live.size() > 300) {
            const auto gone = live.begin() + static_cast<std::ptrdiff_t>(sample.below(live.size()));
            BOOST_REQUIRE(book.end(gone->id, EndReason::released, noon));
            live.erase(gone);
        }
        const Which which = sample.which();
        std::vector<vocabulary::LeaseId> expected;
        for (const Lease& lease : live) {
            if (matches(lease, which)) expected.push_back(lease.id);
        }
        std::vector<vocabulary::LeaseId> found = book.matching(which);
        std::ranges::sort(expected);
        std::ranges::sort(found);
        BOOST_REQUIRE((found == expected));
    }
    for (const Lease& lease : live) BOOST_REQUIRE(book.end(lease.id, EndReason::released, noon));
    BOOST_TEST(book.matching({}).empty());
    BOOST_TEST(book.held_by("worker:etl") == 0U);
}

} // namespace
} // namespace credlease::leases
