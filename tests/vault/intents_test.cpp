#define BOOST_TEST_DYN_LINK
#include "vault/oauth_house.hpp"
#include "vault/records.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::vault {
namespace {

const Scope organization = Scope::organization();

BOOST_FIXTURE_TEST_SUITE(intents, OAuthHouse)

BOOST_AUTO_TEST_CASE(a_request_that_was_begun_is_found_after_a_restart) {
    connected("quiet", organization);
    const Entry& entry = connected("a", workspace("acme"));
    BOOST_REQUIRE_EQUAL(refresh(entry, answer(token("bot", "bot-2"))), "none");
    begin_refresh(entry, "bot");
    for (int start = 0; start < 2; ++start) {
        const auto found = vault->find_intents();
        BOOST_REQUIRE_EQUAL(found.size(), 1u);
        BOOST_TEST(found.front().entry == &named("a"));
        BOOST_TEST((found.front().intent.of == Generation{.version = 2, .number = 1}));
        BOOST_TEST((found.front().intent.of == generation_of(named("a").credential)));
        BOOST_TEST((found.front().intent.started_at == now));
        BOOST_TEST(found.front().intent.slot == "bot");
        BOOST_TEST(vault->find_intent(named("a").credential.id)->slot == "bot");
        BOOST_TEST(vault->find_intent(named("quiet").credential.id) == nullptr);
        BOOST_TEST(lease_of_chat(named("a")).contains("bot-2")); // it is leased meanwhile
        open();
    }
}

BOOST_AUTO_TEST_CASE(an_intent_is_there_until_the_tokens_are_durable) {
    const Entry& entry = connected("a", organization);
    begin_refresh(entry, "bot");
    {
        store::Batch lost;
        auto change =
            vault->stage_tokens(entry, kind(), generation_of(entry.credential), answer(token("bot", "bot-2")), lost);
        BOOST_TEST(change.has_value());
    }
    BOOST_TEST(vault->find_intents().size() == 1u);
    store::Batch batch;
    auto change =
        vault->stage_tokens(entry, kind(), generation_of(entry.credential), answer(token("bot", "bot-2")), batch);
    std::size_t puts = 0, erases = 0;
    for (const auto& at : batch.changes()) {
        puts += at.table == store::Table::tokens && at.value ? 1 : 0;
        erases += at.table == store::Table::intents && !at.value ? 1 : 0;
    }
    BOOST_TEST((puts == 1u && erases == 1u)); // in one batch
    BOOST_TEST(settle(std::move(change), batch) == "none");
    BOOST_TEST(vault->find_intents().empty());
    open();
    BOOST_TEST(vault->find_intents().empty());
    begin_refresh(named("a"), "user"); // and the next one
    BOOST_TEST((vault->find_intents().front().intent.of == Generation{.version = 2, .number = 1}));
}

BOOST_AUTO_TEST_CASE(an_intent_is_taken_back_and_taken_again) {
    const Entry& entry = connected("a", organization);
    begin_refresh(entry, "bot");
    now += std::chrono::seconds(5);
    begin_refresh(entry, "user"); // the one in doubt is tried again
    BOOST_TEST(vault->find_intents().front().intent.slot == "user");
    BOOST_TEST(records_in(store::Table::intents) == 1u);
    store::Batch batch;
    Change change = vault->stage_clear_intent(entry, batch);
    BOOST_TEST(settle(std::move(change), batch) == "none");
    BOOST_TEST(vault->find_intents().empty());
    BOOST_TEST(records_in(store::Table::intents) == 0u);
    store::Batch nothing;
    change = vault->stage_clear_intent(entry, nothing);
    BOOST_TEST(nothing.empty());
    BOOST_TEST(lease_of_chat(entry).contains("bot-1"));
}

BOOST_AUTO_TEST_CASE(a_state_that_does_not_end_the_request_leaves_its_intent) {
    const Entry& entry = connected("a", organization);
    begin_refresh(entry, "bot");
    BOOST_TEST(change_state(entry, {.failures = 1}) == "none");
    BOOST_TEST(vault->find_intents().size() == 1u);
    BOOST_TEST(change_state(entry, {.failures = 2, .ends_intent = true}) == "none");
    open();
    BOOST_TEST(vault->find_intents().empty());
    BOOST_TEST(named("a").tokens->state.failures == 2u);
}

BOOST_AUTO_TEST_CASE(a_damaged_intent_is_forgotten_and_one_without_its_credential_is_nobody_s) {
    const Entry& entry = connected("a", organization);
    begin_refresh(entry, "bot");
    const auto key = credential_key(entry.credential.id);
    disk.records.erase({store::Table::credentials, key});
    open();
    BOOST_TEST(vault->find_intents().empty());
    vault->forget(store::Table::intents, key);
    BOOST_TEST(vault->find_intent(*vocabulary::CredentialId::find(key)) == nullptr);
}

BOOST_AUTO_TEST_CASE(broken_intents_are_damaged_and_named) {
    const Entry& entry = connected("a", organization);
    begin_refresh(entry, "bot");
    const auto key = credential_key(entry.credential.id);
    const std::string written = record_of(store::Table::intents, entry).value;
    for (std::size_t size = 0; size < written.size(); ++size) {
        const auto read = read_intent(key, written.substr(0, size));
        BOOST_TEST_REQUIRE(refusal_of(read) == "damaged");
        BOOST_TEST_REQUIRE(read.error().about.text() == key);
    }
    BOOST_TEST(refusal_of(read_intent(key, written + '\0')) == "damaged");
    BOOST_TEST(refusal_of(read_intent("cred_nonsense", written)) == "damaged");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::vault
