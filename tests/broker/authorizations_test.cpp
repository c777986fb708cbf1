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

    broker::AuthorizationRef make(uid_t uid, const std::string& person) {
        auto made = std::make_shared<Authorization>();
        made->id = broker::AuthorizationId(ids.next(1));
        access::Caller caller;
        caller.principal = person;
        made->asker.caller = std::make_shared<const access::Caller>(std::move(caller));
        attestation::Peer peer;
        peer.uid = uid;
        made->asker.peer = std::make_shared<const attestation::Peer>(std::move(peer));
        made->ends_at = clock.boot() + 10min;
        return made;
    }
    broker::AuthorizationRef add(const std::string& start_url) {
        auto made = make(1000, "user:alice");
        made->start_url = start_url;
        made->secrets.state = std::move(*crypto::make_random_text(*arena));
        made->state_digest = crypto::challenge_of(made->secrets.state);
        BOOST_REQUIRE(all.add(made).has_value());
        return made;
    }
    bool may_begin(uid_t uid, const std::string& person) { return all.add(make(uid, person)).has_value(); }
    /// For as many people as it likes to name.
    std::size_t take_all(uid_t uid) {
        std::size_t taken = 0;
        while (may_begin(uid, "user:" + std::to_string(uid) + "-" + std::to_string(taken))) ++taken;
        return taken;
    }
    broker::AuthorizationRef begin_and_end(uid_t uid) {
        auto made = make(uid, "user:alice");
        BOOST_REQUIRE(all.add(made).has_value());
        all.end(*made, State::failed, "x");
        return made;
    }
    bool may_begin_at(uid_t uid, const std::string& person, std::size_t address_bytes) {
        auto made = make(uid, person);
        made->secrets.url =
            std::move(*secret::SecretBuffer::copy(*arena, std::string(address_bytes, 'x'), secret::Share::tokens));
        return all.add(std::move(made)).has_value();
    }
    bool is_known(const broker::AuthorizationRef& one) const { return all.find_anybodys(one->id.text()) == one; }
    bool is_new(const broker::Asker& asker) const {
        const auto begun = all.find_begun(asker);
        return begun && !begun->has_value();
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

BOOST_AUTO_TEST_CASE(one_uid_takes_a_quarter_of_the_places_whomever_it_names) {
    House house;
    BOOST_TEST(house.take_all(1) == 64U);
    BOOST_TEST(house.take_all(2) == 64U);
}

BOOST_AUTO_TEST_CASE(however_many_uids_are_greedy_one_that_has_none_finds_a_place) {
    House house;
    std::size_t taken = 0;
    for (uid_t uid = 1; uid <= 8; ++uid) taken += house.take_all(uid);
    BOOST_TEST(taken < 256U);
    for (uid_t uid = 100; taken < 256; ++uid, ++taken) {
        BOOST_REQUIRE(house.may_begin(uid, "user:bob"));
        BOOST_TEST(!house.may_begin(uid, "user:carol"));
    }
    BOOST_TEST(!house.may_begin(1000, "user:bob"));
}

BOOST_AUTO_TEST_CASE(one_person_behind_an_engine_leaves_places_for_the_others_behind_it) {
    House house;
    std::size_t taken = 0;
    while (house.may_begin(1, "user:alice")) ++taken;
    BOOST_TEST(taken == 32U);
    BOOST_TEST(house.may_begin(1, "user:bob"));
    BOOST_TEST(house.may_begin(2, "user:alice")); // what one engine begins in her name is not hers elsewhere
}

broker::Asker sending(const broker::AuthorizationRef& one, const std::string& key, std::uint8_t body) {
    broker::Asker asker = one->asker;
    asker.idempotency_key = key;
    asker.body_digest.fill(body);
    return asker;
}

BOOST_AUTO_TEST_CASE(a_request_under_a_key_is_known_by_its_authorization_as_long_as_that_is) {
    House house;
    const auto one = house.begin_and_end(1);
    const auto bobs = house.make(1, "user:bob");
    const auto asker = sending(one, "once", 1);
    BOOST_TEST(house.is_new(asker));
    house.all.note_request(asker, {.one = one, .status = 201});
    const auto found = house.all.find_begun(asker);
    BOOST_REQUIRE((found && *found));
    BOOST_TEST(((*found)->one == one && (*found)->status == 201U));
    const auto other = house.all.find_begun(sending(one, "once", 2));
    BOOST_TEST((!other && other.error().code == result::ErrorCode::idempotency_mismatch));
    BOOST_TEST(house.is_new(sending(one, "another", 1)));
    BOOST_TEST(house.is_new(sending(bobs, "once", 2))); // each person has keys of their own
    house.all.note_request(sending(one, "", 1), {.one = one, .status = 201});
    BOOST_TEST(house.is_new(sending(one, "", 2)));
    house.clock.advance(20min + 1ms);
    (void)house.begin_and_end(1);
    BOOST_TEST(house.is_new(asker));
}

BOOST_AUTO_TEST_CASE(of_one_authorization_the_last_sixteen_requests_are_known) {
    House house;
    const auto one = house.begin_and_end(1);
    const auto nth = [&](int i) { return sending(one, std::to_string(i), 1); };
    for (int i = 0; i < 17; ++i) house.all.note_request(nth(i), {.one = one});
    BOOST_TEST(house.is_new(nth(0)));
    for (int i = 1; i < 17; ++i) BOOST_TEST(!house.is_new(nth(i)));
}

BOOST_AUTO_TEST_CASE(one_that_needed_nobody_is_known_and_takes_no_place) {
    House house;
    for (int i = 0; i < 40; ++i) {
        const auto one = house.make(1, "user:alice");
        one->state = State::connected;
        house.all.add_ended(one);
        BOOST_TEST(house.is_known(one));
    }
    BOOST_TEST(house.may_begin(1, "user:alice"));
}

BOOST_AUTO_TEST_CASE(long_addresses_take_the_places_of_as_many_short_ones_as_have_room_there) {
    House house;
    for (int i = 0; i < 3; ++i) BOOST_TEST(house.may_begin_at(1, "user:alice", 8000));
    for (int i = 0; i < 8; ++i) BOOST_TEST(house.may_begin_at(1, "user:alice", 1024));
    BOOST_TEST(!house.may_begin_at(1, "user:alice", 1));
    for (int i = 0; i < 4; ++i) BOOST_TEST(house.may_begin_at(1, "user:bob", 4097));
    BOOST_TEST(!house.may_begin(1, "user:carol"));
    BOOST_TEST(house.may_begin_at(2, "user:alice", 8000));
}

BOOST_AUTO_TEST_CASE(results_of_one_uid_push_out_its_own_and_nobody_elses) {
    House house;
    std::vector<broker::AuthorizationRef> others;
    for (int i = 0; i < 100; ++i) others.push_back(house.begin_and_end(1));
    const auto first = house.begin_and_end(2);
    auto last = first;
    for (int i = 0; i < 2000; ++i) last = house.begin_and_end(2);
    for (const auto& one : others) BOOST_TEST(house.is_known(one));
    BOOST_TEST((!house.is_known(first) && house.is_known(last)));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
