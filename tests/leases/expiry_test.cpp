#define BOOST_TEST_DYN_LINK
#include "leases/sample_leases.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <random>

namespace credlease::leases {
namespace {

using vocabulary::Duration;
using vocabulary::Time;

Lease lease_until(std::uint64_t number, Time issued_at, Time expires_at) {
    Lease lease = sample_lease(number);
    lease.issued_at = issued_at;
    lease.expires_at = expires_at;
    return lease;
}

std::size_t expire_all(Book& book, Time now) {
    std::size_t expired = 0;
    while (const std::size_t some = book.expire(now, 100, [](const Lease&) {})) expired += some;
    return expired;
}

BOOST_AUTO_TEST_CASE(a_lease_ends_not_before_its_time_and_at_most_a_second_after) {
    for (const Duration after_the_second : {0ms, 1ms, 500ms, 999ms}) {
        Book book;
        const Time end = noon + 15min + after_the_second;
        BOOST_REQUIRE(book.issue(lease_until(1, noon, end)));
        BOOST_TEST(expire_all(book, noon + 1min) == 0U);
        BOOST_TEST(expire_all(book, end - 1ms) == 0U);
        BOOST_TEST(expire_all(book, end + 999ms) == 1U);
        BOOST_TEST((book.find_ended(lease_id(1))->reason == vocabulary::EndReason::expired));
    }
}

BOOST_AUTO_TEST_CASE(a_lease_is_shown_before_it_goes) {
    Book book;
    BOOST_REQUIRE(book.issue(sample_lease(1)));
    std::size_t shown = 0;
    book.expire(noon + 1h, 10, [&](const Lease& lease) {
        ++shown;
        BOOST_TEST((lease.id == lease_id(1)));
        BOOST_TEST(lease.principal == "worker:etl");
        BOOST_TEST(book.find(lease.id).has_value());
    });
    BOOST_TEST(shown == 1U);
    BOOST_TEST(!book.find(lease_id(1)));
}

BOOST_AUTO_TEST_CASE(whoever_is_shown_a_lease_may_end_it) {
    Book book;
    for (std::uint64_t i = 0; i < 10; ++i) BOOST_REQUIRE(book.issue(sample_lease(i)));
    const auto end_two = [&](const Lease& lease) {
        const auto number = lease.id.value().low;
        BOOST_TEST(book.end(lease.id, vocabulary::EndReason::grant_ended, noon + 1h));
        book.end(lease_id((number + 5) % 10), vocabulary::EndReason::grant_ended, noon + 1h);
    };
    BOOST_TEST(book.expire(noon + 1h, 100, end_two) == 5U);
    BOOST_TEST(book.size() == 0U);
    BOOST_TEST((book.find_ended(lease_id(3))->reason == vocabulary::EndReason::grant_ended));
}

BOOST_AUTO_TEST_CASE(a_thousand_leases_that_end_at_once_are_ended_as_many_a_turn_as_asked) {
    Book book;
    for (std::uint64_t i = 0; i < 1000; ++i) BOOST_REQUIRE(book.issue(sample_lease(i)));
    BOOST_TEST(book.expire(noon + 1h, 300, [](const Lease&) {}) == 300U);
    BOOST_TEST(book.size() == 700U);
    BOOST_REQUIRE(book.next_expiry());
    BOOST_TEST((*book.next_expiry() <= noon + 1h));
    BOOST_TEST(expire_all(book, noon + 1h) == 700U);
    BOOST_TEST(!book.next_expiry());
}

BOOST_AUTO_TEST_CASE(a_renewed_lease_does_not_end_at_its_old_time) {
    Book book;
    BOOST_REQUIRE(book.issue(sample_lease(1)));
    BOOST_REQUIRE(book.renew(lease_id(1), {.expires_at = noon + 2h, .version = 3, .generation = 41}));
    BOOST_TEST(expire_all(book, noon + 1h) == 0U);
    BOOST_TEST(expire_all(book, noon + 2h) == 1U);
}

BOOST_AUTO_TEST_CASE(a_lease_of_a_year_ends_after_a_year) {
    Book book;
    const Time end = noon + 24h * 365;
    BOOST_REQUIRE(book.issue(lease_until(1, noon, end)));
    for (Time now = noon; now < end; now += 7h) BOOST_REQUIRE(expire_all(book, now) == 0U);
    BOOST_TEST(expire_all(book, end) == 1U);
}

BOOST_AUTO_TEST_CASE(leases_of_a_later_turn_of_the_wheel_are_looked_at_within_the_budget) {
    Book book(100'000);
    for (std::uint64_t i = 0; i < 10'000; ++i) BOOST_REQUIRE(book.issue(lease_until(i, noon, noon + 4096s * 2)));
    BOOST_REQUIRE(book.issue(lease_until(10'000, noon, noon + 4096s)));
    std::size_t calls = 0;
    while (book.next_expiry() <= noon + 4096s) {
        book.expire(noon + 4096s, 100, [](const Lease&) {});
        ++calls;
    }
    BOOST_TEST(calls > 10U);
    BOOST_TEST(book.size() == 10'000U);
    BOOST_TEST(!book.find(lease_id(10'000)));
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_set_forward_or_back_ends_no_lease_too_early_and_none_never) {
    Book book;
    BOOST_REQUIRE(book.issue(lease_until(1, noon, noon + 10min)));
    BOOST_TEST(expire_all(book, noon + 5min) == 0U);
    BOOST_TEST(expire_all(book, noon - 24h) == 0U);
    BOOST_REQUIRE(book.issue(lease_until(2, noon - 24h, noon - 23h)));
    BOOST_TEST(expire_all(book, noon - 23h - 1ms) == 0U);
    BOOST_TEST(expire_all(book, noon - 23h) == 1U);
    BOOST_REQUIRE(book.issue(lease_until(3, noon, noon + 48h)));
    BOOST_TEST(expire_all(book, noon + 47h) == 1U);
    BOOST_TEST(expire_all(book, noon + 48h) == 1U);
}

BOOST_AUTO_TEST_CASE(a_lease_that_comes_with_its_end_behind_it_goes_at_the_next_look) {
    Book book;
    BOOST_REQUIRE(book.issue(lease_until(1, noon, noon + 1h)));
    BOOST_TEST(expire_all(book, noon + 30min) == 0U);
    BOOST_REQUIRE(book.issue(lease_until(2, noon + 30min, noon + 1min)));
    BOOST_TEST((*book.next_expiry() <= noon + 30min));
    BOOST_TEST(expire_all(book, noon + 30min) == 1U);
}

BOOST_AUTO_TEST_CASE(waking_when_next_expiry_says_ends_every_lease_in_time) {
    Book book(100'000);
    std::mt19937_64 random(2);
    std::multimap<Time, vocabulary::LeaseId> live;
    Time now = noon;
    std::uint64_t number = 0;
    for (int round = 0; round < 20'000; ++round) {
        if (round < 10'000) {
            const Duration ttl(random() % 3 == 0 ? random() % 20'000'000 : random() % 60'000);
            const Lease lease = lease_until(++number, now, now + ttl);
            BOOST_REQUIRE(book.issue(lease));
            live.emplace(lease.expires_at, lease.id);
        }
        if (live.empty()) break;
        const Time next = book.next_expiry().value_or(now + 1s);
        now = std::max(now + Duration(random() % 50), std::min(next, now + 100s));
        expire_all(book, now);
        while (!live.empty() && live.begin()->first + 999ms <= now) {
            BOOST_REQUIRE(!book.find(live.begin()->second));
            live.erase(live.begin());
        }
        for (auto lease = live.begin(); lease != live.end() && lease->first <= now + 2s; ++lease) {
            if (lease->first > now) BOOST_REQUIRE(book.find(lease->second).has_value());
        }
    }
    BOOST_TEST(live.empty());
    BOOST_TEST(book.size() == 0U);
}

} // namespace
} // namespace credlease::leases
