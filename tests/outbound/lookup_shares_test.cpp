#define BOOST_TEST_DYN_LINK
#include "outbound/lookup_shares.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <tuple>
#include <vector>

namespace credlease::outbound {
namespace {

struct Shared {
    LookupShares shares{16};

    /// Names of its own.
    void ask(const std::string& owner, int names) {
        for (int i = 0; i < names; ++i) std::ignore = shares.ask(owner + std::to_string(i), owner);
    }
    /// Begins what may begin; the owners in that order.
    std::vector<std::string> begin_all() {
        std::vector<std::string> owners;
        while (const auto next = shares.next()) {
            shares.begin(*next);
            owners.push_back(next->owner);
        }
        return owners;
    }
    std::string begin_one() {
        const auto next = shares.next();
        if (!next) return {};
        shares.begin(*next);
        return next->host;
    }
};

BOOST_FIXTURE_TEST_SUITE(lookup_shares, Shared)

BOOST_AUTO_TEST_CASE(one_owner_alone_has_half_of_the_threads_at_work) {
    ask("greedy", 40);
    BOOST_TEST(begin_all().size() == 8u);
}

BOOST_AUTO_TEST_CASE(one_owner_has_as_many_at_work_as_it_leaves_free) {
    ask("greedy", 40);
    std::ignore = begin_all();
    ask("other", 40);
    BOOST_TEST(begin_all().size() == 4u); // and four are left
}

BOOST_AUTO_TEST_CASE(the_last_quarter_is_for_owners_that_have_none_at_work) {
    for (const auto* owner : {"a", "b", "c", "d", "e", "f"}) ask(owner, 40);
    BOOST_TEST(begin_all().size() == 12u);
    for (const auto* owner : {"new 1", "new 2", "new 3", "new 4"}) {
        ask(owner, 40);
        BOOST_TEST(begin_all() == std::vector<std::string>{owner}, boost::test_tools::per_element());
    }
    ask("too late", 1);
    BOOST_TEST(begin_all().empty());
}

BOOST_AUTO_TEST_CASE(owners_take_turns_however_many_names_each_asks_for) {
    ask("first", 40);
    ask("second", 2);
    ask("third", 1);
    const std::vector<std::string> turns{"first", "second", "third", "first", "second", "first"};
    auto owners = begin_all();
    owners.resize(turns.size());
    BOOST_TEST(owners == turns, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(who_comes_again_and_again_waits_behind_who_is_there) {
    LookupShares one(1);
    std::ignore = one.ask("hasty0", "hasty");
    one.begin(*one.next());
    std::ignore = one.ask("patient0", "patient");
    std::ignore = one.ask("patient1", "patient");
    std::ignore = one.ask("hasty1", "hasty");
    std::ignore = one.end("hasty0");
    one.begin(*one.next());
    std::ignore = one.end("patient0");
    BOOST_TEST(one.next()->host == "hasty1");
    one.begin(*one.next());
    std::ignore = one.end("hasty1");
    std::ignore = one.ask("hasty2", "hasty"); // it had left
    BOOST_TEST(one.next()->host == "patient1");
}

BOOST_AUTO_TEST_CASE(a_name_is_looked_up_once_for_all_who_ask_for_it) {
    const auto first = shares.ask("name", "one");
    const auto second = shares.ask("name", "other");
    BOOST_TEST(begin_one() == "name");
    const auto late = shares.ask("name", "one");
    BOOST_TEST(begin_one().empty());
    const std::vector<LookupShares::Ticket> all{first, second, late};
    BOOST_TEST(shares.end("name") == all, boost::test_tools::per_element());
    BOOST_TEST(shares.at_work() == 0u);
}

BOOST_AUTO_TEST_CASE(a_name_of_several_owners_counts_for_the_one_that_its_thread_was_begun_for) {
    for (const auto* owner : {"one", "other"}) {
        for (int i = 0; i < 8; ++i) std::ignore = shares.ask("common" + std::to_string(i), owner);
    }
    BOOST_TEST(begin_all().size() == 8u); // four each
    ask("one", 40);
    BOOST_TEST(begin_all().size() == 2u);
    for (int i = 0; i < 8; ++i) std::ignore = shares.end("common" + std::to_string(i));
    BOOST_TEST(begin_all().size() == 6u); // of what it had, two were left
}

BOOST_AUTO_TEST_CASE(what_one_owner_has_no_thread_for_begins_when_another_asks_for_it) {
    ask("greedy", 8);
    std::ignore = begin_all();
    std::ignore = shares.ask("waits", "greedy");
    BOOST_TEST(begin_one().empty());
    std::ignore = shares.ask("waits", "other");
    BOOST_TEST(begin_one() == "waits");
}

BOOST_AUTO_TEST_CASE(a_thread_that_ends_may_leave_room_for_two) {
    ask("one", 40);
    ask("other", 40);
    BOOST_TEST(begin_all().size() == 10u);
    std::ignore = shares.end("other0");
    const std::vector<std::string> both{"one", "other"};
    BOOST_TEST(begin_all() == both, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_nobody_waits_for_leaves_the_line) {
    ask("greedy", 8);
    std::ignore = begin_all();
    const auto first = shares.ask("given up", "greedy");
    const auto second = shares.ask("given up", "greedy");
    std::ignore = shares.ask("wanted", "greedy");
    shares.give_up(first);
    shares.give_up(second);
    std::ignore = shares.end("greedy0");
    BOOST_TEST(begin_one() == "wanted");
}

BOOST_AUTO_TEST_CASE(what_another_owner_still_waits_for_stays_in_its_line) {
    const auto gone = shares.ask("name", "one");
    const auto still = shares.ask("name", "other");
    shares.give_up(gone);
    BOOST_TEST(shares.next()->owner == "other");
    BOOST_TEST(begin_one() == "name");
    BOOST_TEST(shares.end("name") == std::vector{still}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_thread_whose_name_was_given_up_counts_until_it_is_free) {
    std::vector<LookupShares::Ticket> tickets;
    for (int i = 0; i < 8; ++i) tickets.push_back(shares.ask("silent" + std::to_string(i), "greedy"));
    std::ignore = begin_all();
    for (const auto ticket : tickets) shares.give_up(ticket);
    BOOST_TEST(shares.at_work() == 8u);
    ask("greedy", 1);
    BOOST_TEST(begin_one().empty());
    BOOST_TEST(shares.end("silent0").empty());
    shares.give_up(tickets.front()); // too late: says nothing
    BOOST_TEST(begin_one() == "greedy0");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::outbound
