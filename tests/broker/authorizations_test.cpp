#define BOOST_TEST_DYN_LINK
#include "broker/authorizations.hpp"
#include "crypto/one_time.hpp"

#include <boost/test/unit_test.hpp>

namespace {

using namespace credlease;
using namespace std::chrono_literals;
using broker::Authorization;
using State = Authorization::State;

struct House {
    runtime::Loop loop;
    runtime::HandClock clock{loop, runtime::WallTime(1000h)};
    std::unique_ptr<secret::Arena> arena = std::move(*secret::Arena::make({.size = std::size_t{1} << 20}));
    std::vector<bool> told;
    std::vector<std::string> failed;
    bool is_taken = false;
    vocabulary::UlidSource ids;
    broker::Authorizations all{clock,
                               [this](bool are_awaited) -> result::Result<> {
                                   told.push_back(are_awaited);
                                   if (!are_awaited || !is_taken) return {};
                                   return result::refuse({.code = result::ErrorCode::configuration,
                                                          .sentence = "Taken.",
                                                          .next_step = "Paste."});
                               },
                               [this](const Authorization& one, const broker::Asker& by) {
                                   failed.push_back(by.caller->principal + ": " + one.error);
                               }};

    broker::AuthorizationRef add(const std::string& start_url) {
        auto made = std::make_shared<Authorization>();
        made->id = broker::AuthorizationId(ids.next(1));
        access::Caller caller;
        caller.principal = "user:alice";
        made->asker.caller = std::make_shared<const access::Caller>(std::move(caller));
        made->ends_at = clock.boot() + 10min;
        made->start_url = start_url;
        made->secrets.state = std::move(*crypto::make_random_text(*arena));
        made->state_digest = crypto::challenge_of(made->secrets.state);
        BOOST_REQUIRE(all.add(made).has_value());
        return made;
    }
    secret::SecretBuffer state_of(const Authorization& one) {
        return one.secrets.state.expose([this](std::span<const std::byte> bytes) {
            return std::move(*secret::SecretBuffer::copy(*arena, bytes, secret::Share::tokens));
        });
    }
};

BOOST_AUTO_TEST_SUITE(authorizations)

BOOST_AUTO_TEST_CASE(one_that_nobody_comes_back_to_expires_and_is_still_known_by_its_state) {
    House house;
    const auto one = house.add("http://127.0.0.1:7466/oauth/start/x");
    const auto state = house.state_of(*one);
    BOOST_TEST(house.all.find_redirected(state) == one);
    house.clock.advance(10min - 1ms);
    BOOST_TEST((one->state == State::pending));
    house.clock.advance(1ms);
    BOOST_TEST((one->state == State::failed));
    BOOST_TEST(one->error.starts_with("It expired"));
    BOOST_TEST(one->secrets.state.empty());
    BOOST_REQUIRE_EQUAL(house.failed.size(), 1U);
    BOOST_TEST(house.failed[0].starts_with("user:alice: It expired"));
    BOOST_TEST(house.all.find_redirected(state) == one);
    BOOST_TEST(house.all.find_redirected(secret::SecretBuffer()) == nullptr);
}

BOOST_AUTO_TEST_CASE(its_ten_minutes_are_not_those_of_a_clock_that_is_set) {
    House house;
    const auto ended = house.add({});
    const auto one = house.add({});
    house.all.end(*ended, State::failed, "x");
    for (const auto by : {2h, -4h}) {
        house.clock.set_wall(house.clock.wall() + by);
        const auto next = house.add({});
        BOOST_TEST(house.all.find_anybodys(ended->id.text()) == ended); // shown for some minutes
        BOOST_TEST((one->state == State::pending && next->state == State::pending));
    }
    house.clock.advance(10min);
    BOOST_TEST((one->state == State::failed));
}

BOOST_AUTO_TEST_CASE(browsers_are_listened_for_while_one_may_come) {
    House house;
    const auto engine = house.add({}); // its redirect goes to the engine
    BOOST_TEST(house.told.empty());
    BOOST_TEST(house.all.find_started(engine->id.text()) == nullptr);
    BOOST_TEST(house.all.find_redirected(engine->secrets.state) == nullptr);
    const auto one = house.add("http://x/1");
    const auto other = house.add("http://x/2");
    BOOST_TEST(house.all.find_started(one->id.text()) == one);
    BOOST_TEST((house.told == std::vector{true, true}));
    house.all.end(*one, State::connected);
    BOOST_TEST((house.told == std::vector{true, true}));
    house.all.end(*other, State::failed, "x");
    BOOST_TEST((house.told == std::vector{true, true, false}));
}

BOOST_AUTO_TEST_CASE(whoever_begins_where_nobody_can_listen_is_told_and_may_go_on) {
    House house;
    house.is_taken = true;
    const auto one = house.add("http://x/1");
    BOOST_REQUIRE(one->unheard.has_value());
    BOOST_TEST((one->state == State::pending));
    house.is_taken = false;
    house.all.await_browser(*one);
    BOOST_TEST(!one->unheard.has_value());
}

BOOST_AUTO_TEST_CASE(each_that_failed_is_noted_once_with_who_ended_it) {
    House house;
    const auto one = house.add({});
    const auto other = house.add({});
    const auto connected = house.add({});
    access::Caller caller;
    caller.principal = "operator:root";
    const broker::Asker by{.caller = std::make_shared<const access::Caller>(std::move(caller)), .peer = {}};
    house.all.end(*one, State::failed, "It was given up.", &by);
    house.all.end(*connected, State::connected);
    house.all.quiet();
    house.all.end_all("Stopped.");
    BOOST_TEST((other->state == State::failed));
    BOOST_TEST((house.failed == std::vector<std::string>{"operator:root: It was given up.", "user:alice: Stopped."}));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
