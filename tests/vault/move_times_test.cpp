#define BOOST_TEST_DYN_LINK
#include "vault/oauth_house.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::vault {
namespace {

using namespace std::chrono_literals;

const Scope organization = Scope::organization();

/// Told while the wall clock was so far ahead of the boot clock.
NewTokens told_at(vocabulary::Duration offset, NewTokens made) {
    made.told_at = offset;
    return made;
}

const vocabulary::TokenState& slot_of(const Entry& entry, std::string_view name) {
    return *std::ranges::find(entry.tokens->state.tokens, name, &vocabulary::TokenState::slot);
}

/// Connected in this life of the broker, with an offset of ten hours.
struct ToldHouse : OAuthHouse {
    const Entry& told(std::string_view name) {
        const Entry& entry = pending(name, organization);
        NewConnection made = connection();
        made.answer.told_at = 10h;
        BOOST_REQUIRE_EQUAL(connect(entry, std::move(made)), "none");
        return entry;
    }
    void set_clock(const Entry& entry, vocabulary::Duration offset) {
        vault->set_offset(offset);
        vault->move_times(entry);
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(move_times, ToldHouse)

BOOST_AUTO_TEST_CASE(what_was_told_in_this_life_goes_with_the_wall_clock_and_opens_still) {
    const Entry& entry = told("a");
    const auto before = entry.tokens->state;
    for (const auto offset : {8h, 13h}) {
        set_clock(entry, offset);
        const auto by = offset - 10h;
        const auto& state = entry.tokens->state;
        BOOST_TEST((slot_of(entry, "user").access_ends_at == now + 1h + by));
        BOOST_TEST((slot_of(entry, "bot").refresh_idle_ends_at == now + std::chrono::days(60) + by));
        BOOST_TEST((state.refresh_at == *before.refresh_at + by));
        BOOST_TEST((state.connected_at == before.connected_at + by));
        BOOST_TEST(grant_of(entry) == "s1 bot:bot-1/bot-refresh-1 user:user-1/user-refresh-1");
        vault->move_times(entry); // once is enough
        BOOST_TEST((slot_of(entry, "user").access_ends_at == now + 1h + by));
    }
}

BOOST_AUTO_TEST_CASE(when_an_intent_was_begun_goes_with_the_wall_clock_too) {
    vault->set_offset(10h);
    const Entry& entry = told("a");
    begin_refresh(entry, "bot");
    const auto begun = [&] { return vault->find_intent(entry.credential.id)->started_at; };
    for (const auto offset : {8h, 13h}) {
        set_clock(entry, offset);
        BOOST_TEST((begun() == now + (offset - 10h)));
    }
    open(); // from now on the wall clock decides
    vault->set_offset(9h);
    vault->move_times(named("a"));
    BOOST_TEST((vault->find_intents().front().intent.started_at == now));
}

BOOST_AUTO_TEST_CASE(an_intent_that_is_staged_before_the_clock_is_set_moves_once_it_is_durable) {
    vault->set_offset(10h);
    const Entry& entry = told("a");
    store::Batch batch;
    Change change = vault->stage_intent(entry, "bot", now, batch);
    vault->set_offset(8h);
    BOOST_REQUIRE_EQUAL(settle(std::move(change), batch), "none");
    BOOST_TEST((vault->find_intent(entry.credential.id)->started_at == now - 2h));
}

BOOST_AUTO_TEST_CASE(an_end_by_consent_stays) {
    const Entry& entry = told("a");
    set_clock(entry, 8h);
    BOOST_TEST((slot_of(entry, "bot").refresh_ends_at == now + std::chrono::days(365)));
}

BOOST_AUTO_TEST_CASE(of_what_was_stored_before_the_wall_clock_decides) {
    told("a");
    open();
    const auto before = named("a").tokens->state;
    set_clock(named("a"), 8h);
    BOOST_TEST((named("a").tokens->state == before));
}

BOOST_AUTO_TEST_CASE(a_slot_that_was_told_before_this_life_stays_beside_one_that_moves) {
    told("a");
    open();
    const Entry& entry = named("a");
    BOOST_REQUIRE_EQUAL(refresh(entry, told_at(10h, answer(token("bot", "bot-2", "bot-refresh-2")))), "none");
    const auto bot_ends = slot_of(entry, "bot").access_ends_at;
    const auto user_ends = slot_of(entry, "user").access_ends_at;
    set_clock(entry, 12h);
    BOOST_TEST((slot_of(entry, "user").access_ends_at == user_ends));
    BOOST_TEST((!bot_ends || slot_of(entry, "bot").access_ends_at == *bot_ends + 2h));
    BOOST_TEST((entry.tokens->state.refreshed_at == now + 2h));
}

BOOST_AUTO_TEST_CASE(what_was_staged_before_the_clock_was_set_moves_when_it_is_applied) {
    const Entry& entry = told("a");
    store::Batch batch;
    auto made = told_at(10h, answer(token("user", "user-2")));
    made.tokens.front().access_ends_at = now + 1h;
    auto change = vault->stage_tokens(entry, kind(), generation_of(entry.credential), std::move(made), batch);
    set_clock(entry, 8h);
    BOOST_REQUIRE_EQUAL(settle(std::move(change), batch), "none");
    BOOST_TEST((slot_of(entry, "user").access_ends_at == now - 1h));
    BOOST_TEST(grant_of(entry) == "s1 bot:bot-1/bot-refresh-1 user:user-2/user-refresh-1");
}

BOOST_AUTO_TEST_CASE(the_next_change_stores_what_has_moved) {
    const Entry& entry = told("a");
    set_clock(entry, 8h);
    BOOST_REQUIRE_EQUAL(change_state(entry, {.failures = 1}), "none");
    open();
    BOOST_TEST((slot_of(named("a"), "user").access_ends_at == now - 1h));
    BOOST_TEST(grant_of(named("a")) == "s1 bot:bot-1/bot-refresh-1 user:user-1/user-refresh-1");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::vault
