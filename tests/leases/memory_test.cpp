#define BOOST_TEST_DYN_LINK
#include "leases/idempotency.hpp"
#include "leases/sample_leases.hpp"
#include "support/allocations.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <charconv>

namespace credlease::leases {
namespace {

using test::allocations;
using test::bytes_in_use;
using vocabulary::EndReason;

/// A text with a number in it, without an allocation.
class Numbered {
  public:
    explicit Numbered(std::string_view head) : at_(head.copy(text_.data(), head.size())) {}
    std::string_view of(std::uint64_t number) {
        const auto end = std::to_chars(text_.data() + at_, text_.data() + text_.size(), number).ptr;
        return {text_.data(), end};
    }

  private:
    std::array<char, 128> text_{};
    std::size_t at_;
};

/// A busy broker: many workers, each with a few processes, each run with a handful of leases.
class Busy {
  public:
    Lease lease(std::uint64_t number) {
        Lease made = sample_lease(number);
        made.credential = credential_id(number % 2000);
        made.principal = principal_.of(number % 200);
        made.on_behalf_of = user_.of(number % 50);
        made.holder = holder(static_cast<std::int32_t>(number % 1000));
        made.workflow = workflow_.of(number % 100);
        made.run = run_.of(number / 10);
        made.node = node_.of(number % 30);
        return made;
    }

  private:
    Numbered principal_{"worker:pool-"}, user_{"user:flows/somebody"}, workflow_{"workflow "}, node_{"node "};
    Numbered run_{"01jdbz5m3q8x9k7w-"};
};

BOOST_AUTO_TEST_CASE(a_live_lease_costs_at_most_150_bytes_in_all) {
    constexpr std::uint64_t count = 200'000;
    Busy busy;
    const auto before = bytes_in_use();
    Book book(1'000'000);
    for (std::uint64_t i = 0; i < count; ++i) BOOST_REQUIRE(book.issue(busy.lease(i)));
    const auto bytes = (bytes_in_use() - before) / static_cast<std::int64_t>(count);
    BOOST_TEST_MESSAGE("bytes a live lease: " << bytes);
    BOOST_TEST(bytes > 100); // the measure measures
    BOOST_TEST(bytes <= 150);
}

BOOST_AUTO_TEST_CASE(issuing_renewing_and_ending_leases_for_ever_allocates_nothing) {
    Busy busy;
    Book book(1'000'000);
    constexpr std::uint64_t live = 5000;
    const auto turn = [&](std::uint64_t number) {
        const vocabulary::Time now = noon + vocabulary::Duration(number);
        const bool issued = book.issue(busy.lease(number)).has_value();
        const bool renewed = book.renew(lease_id(number), {.expires_at = now + 30min, .version = 3, .generation = 42});
        const bool known = book.find(lease_id(number)).has_value();
        const bool ended = number < live || book.end(lease_id(number - live), EndReason::released, now);
        return issued && renewed && known && ended;
    };
    std::uint64_t number = 0;
    while (number < 120'000) BOOST_REQUIRE(turn(number++)); // until the reasons of 100,000 ends are kept
    const auto before = allocations();
    bool good = true;
    while (number < 320'000) good = turn(number++) && good;
    BOOST_TEST(allocations() == before);
    BOOST_TEST(good);
    BOOST_TEST(book.size() == live);
}

BOOST_AUTO_TEST_CASE(expiring_leases_allocates_nothing) {
    Busy busy;
    Book book(1'000'000);
    std::uint64_t number = 0;
    const auto turn = [&] {
        Lease lease = busy.lease(number);
        lease.issued_at = noon + std::chrono::milliseconds(number);
        lease.expires_at = lease.issued_at + 5s;
        const bool issued = book.issue(lease).has_value();
        if (number++ % 10 == 0) book.expire(lease.issued_at, 32, [](const Lease&) {});
        return issued;
    };
    while (number < 120'000) BOOST_REQUIRE(turn());
    const auto before = allocations();
    bool good = true;
    while (number < 320'000) good = turn() && good;
    BOOST_TEST(allocations() == before);
    BOOST_TEST(good);
    BOOST_TEST(book.size() < 10'000U);
}

BOOST_AUTO_TEST_CASE(noting_idempotency_keys_for_ever_allocates_nothing) {
    Idempotency idempotency;
    Numbered principal("worker:pool-");
    Numbered user("user:flows/somebody-");
    Numbered key("0193a1f0-7a77-7ccc-8ddd-");
    std::uint64_t number = 0;
    const auto turn = [&] {
        const vocabulary::Time now = noon + std::chrono::milliseconds(10 * number);
        idempotency.note({principal.of(number % 20), user.of(number % 7)}, key.of(number), {.lease = lease_id(number)},
                         now);
        return idempotency.find({principal.of(number % 20), user.of(number % 7)}, key.of(number), now).has_value();
    };
    for (; number < 150'000; ++number) BOOST_REQUIRE(turn());
    const auto before = allocations();
    bool good = true;
    for (; number < 300'000; ++number) good = turn() && good;
    BOOST_TEST(allocations() == before);
    BOOST_TEST(good);
}

BOOST_AUTO_TEST_CASE(what_has_ended_gives_its_memory_back_to_what_comes) {
    Busy busy;
    Book book(1'000'000);
    const auto fill_and_empty = [&](std::uint64_t first) {
        for (std::uint64_t i = first; i < first + 50'000; ++i) BOOST_REQUIRE(book.issue(busy.lease(i)));
        for (std::uint64_t i = first; i < first + 50'000; ++i) book.forget(lease_id(i));
    };
    fill_and_empty(0);
    const auto before = bytes_in_use();
    fill_and_empty(1'000'000);
    BOOST_TEST(bytes_in_use() <= before + 4096);
}

} // namespace
} // namespace credlease::leases
