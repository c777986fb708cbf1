#define BOOST_TEST_DYN_LINK
#include "broker/event_history.hpp"

#include <boost/test/unit_test.hpp>

namespace {

using namespace credlease;
using namespace std::chrono_literals;
using broker::Event;
using broker::EventHistory;
using broker::EventId;
using broker::EventRef;

constexpr std::size_t most = 10'000;
constexpr auto kept_for = 15min;
constexpr EventId begin{.seq = 100};
const vocabulary::Time start{1000h};

EventRef event(std::uint64_t seq, vocabulary::Time at) {
    return std::make_shared<const Event>(Event{.id = {.seq = seq, .count = 1}, .at = at});
}
EventId id(std::uint64_t seq) { return {.seq = seq, .count = 1}; }

/// What whoever comes back with `last` is told; that it is told anything at all, `covers` says.
std::vector<std::uint64_t> told_behind(const EventHistory& history, EventId last) {
    std::vector<std::uint64_t> told;
    while (const auto next = history.next_behind(last)) {
        last = next->id;
        told.push_back(last.seq);
    }
    return told;
}

struct House {
    EventHistory history;
    House() { history.begin_at(begin); }
};

BOOST_FIXTURE_TEST_SUITE(event_history, House)

BOOST_AUTO_TEST_CASE(whoever_comes_back_is_told_all_behind_its_id_and_nothing_is_known_of_before_the_beginning) {
    for (const std::uint64_t seq : {101U, 102U, 103U}) history.add(event(seq, start));
    BOOST_TEST((told_behind(history, begin) == std::vector<std::uint64_t>{101, 102, 103}));
    BOOST_TEST((told_behind(history, id(102)) == std::vector<std::uint64_t>{103}));
    BOOST_TEST(told_behind(history, id(103)).empty());
    BOOST_TEST(history.covers(begin));
    BOOST_TEST(!history.covers({.seq = 99, .count = 7}));
}

BOOST_AUTO_TEST_CASE(an_event_is_kept_for_fifteen_minutes_and_then_no_id_before_it_is_covered) {
    history.add(event(101, start));
    history.add(event(102, start + 1s));
    history.add(event(103, start + kept_for)); // not longer ago than that
    BOOST_TEST(history.covers(begin));
    BOOST_TEST((told_behind(history, begin) == std::vector<std::uint64_t>{101, 102, 103}));
    history.add(event(104, start + kept_for + 1ms));
    BOOST_TEST(!history.covers(begin));
    BOOST_TEST(!history.covers({.seq = 101})); // of the same record, before the event
    BOOST_TEST(history.covers(id(101)));       // who heard that one misses nothing
    BOOST_TEST((told_behind(history, id(101)) == std::vector<std::uint64_t>{102, 103, 104}));
    history.add(event(105, start + 1h)); // the others went together
    BOOST_TEST(!history.covers(id(103)));
    BOOST_TEST(history.covers(id(104)));
    BOOST_TEST((told_behind(history, id(104)) == std::vector<std::uint64_t>{105}));
}

BOOST_AUTO_TEST_CASE(of_one_moment_the_last_ten_thousand_events_are_kept) {
    for (std::uint64_t i = 1; i <= most; ++i) history.add(event(begin.seq + i, start));
    BOOST_TEST(history.covers(begin));
    BOOST_TEST(told_behind(history, begin).size() == most);
    history.add(event(begin.seq + most + 1, start));
    BOOST_TEST(!history.covers(begin));
    BOOST_TEST(history.covers(id(begin.seq + 1)));
    const auto told = told_behind(history, id(begin.seq + 1));
    BOOST_TEST(told.size() == most);
    BOOST_TEST(told.front() == begin.seq + 2);
    BOOST_TEST(told.back() == begin.seq + most + 1);
}

BOOST_AUTO_TEST_CASE(what_was_read_from_the_log_is_kept_no_longer_than_what_was_heard) {
    const EventId read_from{.seq = 40};
    history.add(event(101, start + kept_for + 1s));
    history.prepend({event(41, start), event(42, start + 2s)}, read_from);
    BOOST_TEST(!history.covers(read_from));
    BOOST_TEST(history.covers(id(41)));
    BOOST_TEST((told_behind(history, id(41)) == std::vector<std::uint64_t>{42, 101}));
    history.begin_at({.seq = 200}); // nobody listened for long
    BOOST_TEST(!history.covers(id(101)));
    BOOST_TEST(told_behind(history, {.seq = 200}).empty());
}

BOOST_AUTO_TEST_CASE(where_something_was_forgotten_meanwhile_what_is_read_from_the_log_fills_no_gap) {
    history.add(event(101, start));
    history.add(event(102, start + kept_for + 1s)); // the first is gone
    history.prepend({event(99, start + 1min)}, {.seq = 40});
    BOOST_TEST(!history.covers(id(99)));
    BOOST_TEST(!history.covers(begin));
    BOOST_TEST(history.covers(id(101)));
    BOOST_TEST((told_behind(history, id(101)) == std::vector<std::uint64_t>{102}));
}

BOOST_AUTO_TEST_CASE(more_than_ten_thousand_events_are_not_kept_of_the_log_either) {
    std::deque<EventRef> earlier;
    for (std::uint64_t seq = 1; seq <= most; ++seq) earlier.push_back(event(seq, start));
    history.add(event(most + 1, start));
    history.prepend(std::move(earlier), {});
    BOOST_TEST(!history.covers({}));
    BOOST_TEST(history.covers(id(1)));
    BOOST_TEST(told_behind(history, id(1)).size() == most);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
