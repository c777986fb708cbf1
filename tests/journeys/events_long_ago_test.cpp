#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"
#include "support/daemon/wall_clock.hpp"
#include "support/event_reader.hpp"

#include <boost/test/unit_test.hpp>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;
using test::EventReader;

namespace {

constexpr auto token = "tok_long_ago_77c1e05b";

/// A broker whose wall clock can be set, and an operator who listens.
struct House : WallClock {
    Daemon daemon{WallClock::setup()};
    House() { BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log()); }
    Client client = client_of(daemon);

    [[nodiscard]] EventReader listen(const std::string& last_id = {}) const {
        EventReader reader(daemon.admin_socket(), last_id.empty() ? "" : "Last-Event-ID: " + last_id + "\r\n");
        BOOST_REQUIRE_EQUAL(reader.status(), 200U);
        return reader;
    }
    void make(const std::string& name) { (void)store_token(client, name, token); }
    static std::string next_type(EventReader& reader) {
        const auto event = reader.next();
        return event ? event->type : std::string();
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(events_long_ago, House)

BOOST_AUTO_TEST_CASE(whoever_comes_back_after_fifteen_minutes_is_told_to_look_anew_and_within_them_what_it_missed) {
    auto stays = listen(); // so that the broker goes on keeping what it tells
    BOOST_REQUIRE(stays.is_listening());
    const auto beginning = stays.last_id();
    make("first");
    BOOST_TEST(next_type(stays) == "credential.created");
    const auto heard_first = stays.last_id();
    move(14min);
    make("second");
    auto in_time = listen(beginning);
    BOOST_TEST(next_type(in_time) == "credential.created");
    BOOST_TEST(next_type(in_time) == "credential.created");

    move(2min); // the first is older than that now
    make("third");
    auto late = listen(beginning);
    BOOST_TEST(next_type(late) == "reset");
    BOOST_TEST(!late.next(300ms).has_value());
    auto misses_none = listen(heard_first);
    BOOST_TEST(next_type(misses_none) == "credential.created");
    BOOST_TEST(next_type(misses_none) == "credential.created");
    make("fourth"); // from the reset on all is told
    BOOST_TEST(next_type(late) == "credential.created");
}

BOOST_AUTO_TEST_CASE(where_nobody_listened_meanwhile_or_the_broker_was_killed_it_is_the_same) {
    auto leaves = listen();
    BOOST_REQUIRE(leaves.is_listening());
    leaves.close();
    make("first");
    make("second");
    move(16min);
    make("third");
    for (int starts = 0; starts < 2; ++starts) {
        auto late = listen(leaves.last_id());
        BOOST_TEST(next_type(late) == "reset");
        late.close();
        daemon.kill9();
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    }
}

BOOST_AUTO_TEST_CASE(whoever_missed_nothing_is_not_told_to_look_anew_however_long_ago_it_was) {
    auto leaves = listen();
    BOOST_REQUIRE(leaves.is_listening());
    make("heard");
    BOOST_TEST(next_type(leaves) == "credential.created");
    leaves.close();
    for (int starts = 0; starts < 2; ++starts) {
        move(1h);
        auto again = listen(leaves.last_id());
        BOOST_TEST(!again.next(300ms).has_value());
        again.close();
        daemon.kill9();
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    }
}

BOOST_AUTO_TEST_SUITE_END()
