#define BOOST_TEST_DYN_LINK
#include "broker/exchange_shares.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <tuple>

namespace credlease::broker {
namespace {

struct Shared {
    static constexpr std::size_t each = 10;
    ExchangeShares shares{380};

    std::size_t take_all(const std::string& owner, const std::string& host) {
        std::size_t taken = 0;
        while (shares.take({.owner = owner, .host = host, .bytes = each})) ++taken;
        return taken;
    }
    /// Each with a host of its own.
    std::size_t take_all(const std::string& owner) {
        std::size_t taken = 0;
        while (shares.take({.owner = owner, .host = owner + std::to_string(taken), .bytes = each})) ++taken;
        return taken;
    }
};

BOOST_FIXTURE_TEST_SUITE(exchange_shares, Shared)

BOOST_AUTO_TEST_CASE(one_owner_takes_a_third_and_leaves_room_for_others_that_do_the_same) {
    BOOST_TEST(take_all("greedy") == 13u);
    for (int i = 0; i < 7; ++i) {
        BOOST_TEST(take_all("other" + std::to_string(i)) > 0u, i);
    }
}

BOOST_AUTO_TEST_CASE(however_many_are_greedy_a_newcomer_finds_room) {
    for (int i = 0; i < 9; ++i) BOOST_TEST(take_all("greedy" + std::to_string(i)) > 0u);
    for (int i = 0; i < 5; ++i) BOOST_TEST(take_all("new" + std::to_string(i)) == 1u, i);
}

BOOST_AUTO_TEST_CASE(one_host_takes_half_and_an_owner_alone_less) {
    for (int i = 0; i < 100; ++i) std::ignore = take_all("owner" + std::to_string(i), "hangs");
    BOOST_TEST(!shares.take({.owner = "new", .host = "hangs", .bytes = each}));
    BOOST_TEST(take_all("new", "serves") >= 6u);
}

BOOST_AUTO_TEST_CASE(what_one_owner_has_at_a_host_keeps_no_other_owner_from_it) {
    BOOST_TEST(take_all("greedy", "host") == 13u);
    BOOST_TEST(take_all("other", "host") > 0u);
}

BOOST_AUTO_TEST_CASE(what_is_given_back_is_there_again) {
    const ExchangeShares::Claim claim{.owner = "one", .host = "host", .bytes = each};
    for (int i = 0; i < 1000; ++i) {
        BOOST_TEST_REQUIRE(shares.take(claim));
        shares.give_back(claim);
    }
    BOOST_TEST(take_all("one", "host") == 13u);
}

BOOST_AUTO_TEST_CASE(what_is_larger_than_the_room_goes_alone) {
    const ExchangeShares::Claim huge{.owner = "one", .host = "host", .bytes = 10'000};
    BOOST_TEST(shares.take(huge));
    BOOST_TEST(!shares.take({.owner = "other", .host = "another", .bytes = each}));
    shares.give_back(huge);
    BOOST_TEST(shares.take({.owner = "other", .host = "another", .bytes = each}));
    BOOST_TEST(!shares.take(huge));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::broker
