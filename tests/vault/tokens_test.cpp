#define BOOST_TEST_DYN_LINK
#include "vault/oauth_house.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::vault {
namespace {

using vocabulary::CredentialStatus;

const Scope organization = Scope::organization();

BOOST_FIXTURE_TEST_SUITE(tokens, OAuthHouse)

BOOST_AUTO_TEST_CASE(a_new_oauth_credential_is_pending_and_opens_for_no_lease) {
    const Entry& entry = pending("a", organization);
    BOOST_TEST((entry.credential.status == CredentialStatus::pending));
    BOOST_TEST(refusal_of(vault->open(entry, kind())) == "credential_pending");
    BOOST_TEST(grant_of(entry) == "s1"); // its first token request needs the client's secret
    open();
    BOOST_TEST(refusal_of(vault->open(named("a"), kind())) == "credential_pending");
}

BOOST_AUTO_TEST_CASE(a_connected_credential_is_active_also_after_a_restart) {
    connected("a", workspace("acme"));
    for (int start = 0; start < 2; ++start) {
        const Entry& entry = named("a");
        const auto& credential = entry.credential;
        BOOST_TEST((credential.status == CredentialStatus::active));
        BOOST_TEST(credential.version == 2u);
        BOOST_TEST(credential.generation == 0u);
        BOOST_TEST(credential.revision == 2u);
        BOOST_TEST((credential.secret_fields == std::vector<std::string>{"client_secret"}));
        BOOST_TEST(grant_of(entry) == "s1 bot:bot-1/bot-refresh-1 user:user-1/user-refresh-1");
        open();
    }
    BOOST_TEST(records_in(store::Table::versions) == 1u); // the pending version is gone
}

BOOST_AUTO_TEST_CASE(what_is_shown_of_a_grant_is_as_it_was_told_also_after_a_restart) {
    connected("a", organization);
    for (int start = 0; start < 2; ++start) {
        const vocabulary::OAuthState& state = named("a").tokens->state;
        const NewConnection told = connection();
        BOOST_TEST((state.terms == told.terms));
        BOOST_TEST(state.account == "acme");
        BOOST_TEST((state.connected_at == now && state.refresh_at == told.answer.refresh_at));
        BOOST_TEST((state.client_secret_ends_at == told.client_secret_ends_at));
        BOOST_TEST(!state.refreshed_at.has_value());
        BOOST_REQUIRE_EQUAL(state.tokens.size(), 2u);
        BOOST_TEST(state.tokens[0].slot == "bot");
        BOOST_TEST(state.tokens[0].has_refresh_token);
        BOOST_TEST((state.tokens[0].scopes == std::vector<std::string>{"read"}));
        BOOST_TEST((state.tokens[0].refresh_idle_ends_at == now + std::chrono::days(60)));
        BOOST_TEST((state.tokens[0].refresh_ends_at == now + std::chrono::days(365)));
        BOOST_TEST((state.tokens[1].access_ends_at == now + std::chrono::hours(1)));
        BOOST_TEST(!state.tokens[1].refresh_ends_at.has_value());
        open();
    }
}

BOOST_AUTO_TEST_CASE(a_lease_holds_the_access_tokens_and_no_refresh_token_nor_what_is_never_leased) {
    const Entry& entry =
        pending("a", organization, R"({"client_id":"c1","client_secret":"s1","team":"T1","extra":"e1"})");
    BOOST_REQUIRE_EQUAL(connect(entry, connection()), "none");
    BOOST_TEST(lease_of_chat(entry) ==
               R"(,"fields":{"instance_url":"https://one.chat.example","team":"T1"},)"
               R"("secret":{"bot_token":"bot-1","user_token":"user-1","token_type":"Bearer","extra":"e1"},)"
               R"("http":{"headers":{"Authorization":"Bearer bot-1"},"query":{},)"
               R"("base_url":"https://one.chat.example","allowed_hosts":[]})");
    auto opened = vault->open(entry, kind());
    BOOST_TEST((names_in(*opened) == std::vector<std::string>{"extra", "bot_token", "token_type", "user_token"}));
}

BOOST_AUTO_TEST_CASE(a_field_that_is_never_leased_is_not_written_whoever_hands_it_over) {
    const Entry& entry = connected("a", organization);
    const auto everything = vault->open_grant(entry);
    const auto write_as = [&](const catalog::AuthType& auth) {
        std::string text(4096, '\0');
        wire::SecretJsonWriter writer(text.data(), text.size());
        BOOST_TEST(everything->fields.encoded().expose([&](std::span<const std::byte> plaintext) {
            return write_lease_members(writer, auth, entry, plaintext, ~std::uint32_t{0});
        }));
        text.resize(writer.size());
        return text;
    };
    BOOST_TEST(!write_as(kind()).contains("client"));
    catalog::AuthType careless = kind();
    careless.http->headers.front().value = filled("Basic ", *careless.find_field("client_secret"));
    BOOST_TEST(!write_as(careless).contains("s1"));
    careless.fields[*careless.find_field("client_secret")].leased = true; // without the mark it would be there
    BOOST_TEST(write_as(careless).contains("Basic s1"));
}

BOOST_AUTO_TEST_CASE(a_refresh_moves_the_generation_and_nothing_of_the_credential_s_own_records) {
    const Entry& entry = connected("a", organization);
    const std::string record = record_of(store::Table::credentials, entry).value;
    const auto records = disk.records.size();
    now += std::chrono::minutes(50);
    BOOST_TEST(refresh(entry, answer(token("bot", "bot-2", "bot-refresh-2"))) == "none");
    for (int start = 0; start < 2; ++start) {
        const Entry& after = named("a");
        BOOST_TEST(after.credential.generation == 1u);
        BOOST_TEST(after.credential.version == 2u);
        BOOST_TEST(after.credential.revision == 2u);
        BOOST_TEST((after.tokens->state.refreshed_at == now));
        BOOST_TEST((after.tokens->state.connected_at == now - std::chrono::minutes(50)));
        BOOST_TEST(grant_of(after) == "s1 bot:bot-2/bot-refresh-2 user:user-1/user-refresh-1");
        open();
    }
    BOOST_TEST(record_of(store::Table::credentials, named("a")).value == record);
    BOOST_TEST(record_of(store::Table::credentials, named("a")).revision == 2u);
    BOOST_TEST(disk.records.size() == records);
}

BOOST_AUTO_TEST_CASE(an_answer_without_a_refresh_token_keeps_the_old_one_and_its_clocks) {
    const Entry& entry = connected("a", organization);
    NewTokens made = answer(token("bot", "bot-2"));
    made.tokens.front().refresh_idle_ends_at = now + std::chrono::days(61);
    BOOST_TEST(refresh(entry, std::move(made)) == "none");
    BOOST_TEST(grant_of(entry) == "s1 bot:bot-2/bot-refresh-1 user:user-1/user-refresh-1");
    const vocabulary::TokenState* state = &entry.tokens->state.tokens.front();
    BOOST_TEST(state->has_refresh_token);
    BOOST_TEST((state->scopes == std::vector<std::string>{"read"}));
    BOOST_TEST((state->refresh_idle_ends_at == now + std::chrono::days(61)));
    BOOST_TEST((state->refresh_ends_at == now + std::chrono::days(365)));
    BOOST_TEST(refresh(entry, answer(token("bot", "bot-3", "bot-refresh-3"))) == "none");
    state = &entry.tokens->state.tokens.front();
    BOOST_TEST(!state->refresh_ends_at.has_value()); // a new token has its own
}

BOOST_AUTO_TEST_CASE(a_slot_that_comes_later_is_added) {
    const Entry& entry = pending("a", organization);
    NewConnection made = connection();
    made.answer.tokens.pop_back();
    BOOST_TEST(connect(entry, std::move(made)) == "none");
    BOOST_TEST(refresh(entry, answer(token("user", "user-1"), token("bot", "bot-2"))) == "none");
    BOOST_TEST(grant_of(entry) == "s1 bot:bot-2/bot-refresh-1 user:user-1/");
    BOOST_TEST(!entry.tokens->state.tokens.back().has_refresh_token);
}

BOOST_AUTO_TEST_CASE(an_answer_without_an_access_token_is_never_stored) {
    const Entry& entry = connected("a", organization);
    BOOST_TEST(refresh(entry, answer()) == "internal");
    BOOST_TEST(refresh(entry, answer(token("bot", "", "bot-refresh-2"))) == "internal");
    NewConnection made = connection();
    made.answer.tokens.clear();
    BOOST_TEST(connect(entry, std::move(made)) == "internal");
    BOOST_TEST(grant_of(entry) == "s1 bot:bot-1/bot-refresh-1 user:user-1/user-refresh-1");
}

BOOST_AUTO_TEST_CASE(a_re_authorization_is_a_new_version_with_the_fields_that_were_given) {
    const Entry& entry = connected("a", organization);
    BOOST_REQUIRE_EQUAL(refresh(entry, answer(token("bot", "bot-2"))), "none");
    begin_refresh(entry, "bot");
    NewConnection made = connection();
    made.answer.tokens.clear();
    made.answer.tokens.push_back(token("bot", "other-1"));
    made.answer.account = "other";
    BOOST_TEST(connect(entry, std::move(made)) == "none");
    for (int start = 0; start < 2; ++start) {
        const Entry& after = named("a");
        BOOST_TEST(after.credential.version == 3u);
        BOOST_TEST(after.credential.generation == 0u);
        BOOST_TEST(after.credential.revision == 3u);
        BOOST_TEST(grant_of(after) == "s1 bot:other-1/"); // nothing of the grant before: it may be another account's
        BOOST_TEST(after.tokens->state.account == "other");
        BOOST_TEST(vault->find_intents().empty());
        open();
    }
    BOOST_TEST(records_in(store::Table::versions) == 1u);
}

BOOST_AUTO_TEST_CASE(what_comes_for_tokens_that_are_no_longer_there_changes_nothing) {
    const Entry& entry = connected("a", organization);
    const Generation first = generation_of(entry.credential);
    BOOST_REQUIRE_EQUAL(refresh(entry, answer(token("bot", "bot-2"))), "none");
    BOOST_TEST(refresh(entry, first, answer(token("bot", "late"))) == "version_conflict");
    store::Batch batch;
    BOOST_TEST(
        refusal_of(vault->stage_state(entry, first, {.status = CredentialStatus::expired, .status_reason = "refused"},
                                      batch)) == "version_conflict");
    const Generation second = generation_of(entry.credential);
    BOOST_REQUIRE_EQUAL(connect(entry, connection()), "none");
    BOOST_TEST(refresh(entry, second, answer(token("bot", "late"))) == "version_conflict");
    BOOST_TEST(lease_of_chat(entry).contains("bot-1"));
}

BOOST_AUTO_TEST_CASE(answers_fill_their_own_fields_alone_and_a_bad_one_loses_no_token) {
    const Entry& entry = connected("a", organization);
    NewTokens made = answer(token("bot", "bot-2"));
    made.answer_fields = {{"instance_url", std::string("https://two.chat.example")},
                          {"base_url", std::string("https://evil.example")},
                          {"team", std::string("T2")},
                          {"bot_token", std::string("x")},
                          {"unknown", std::string("x")}};
    BOOST_TEST(refresh(entry, std::move(made)) == "none");
    for (int start = 0; start < 2; ++start) {
        const auto& credential = named("a").credential;
        BOOST_TEST(
            (credential.fields == vocabulary::PublicFields{{"client_id", std::string("c1")},
                                                           {"instance_url", std::string("https://two.chat.example")},
                                                           {"team", std::string("T1")}}));
        BOOST_TEST(credential.revision == 2u);
        BOOST_TEST(credential.generation == 1u);
        BOOST_TEST(lease_of_chat(named("a")).contains("Bearer bot-2"));
        BOOST_TEST(grant_of(named("a")).starts_with("s1 "));
        open();
    }
    NewTokens bad = answer(token("bot", "bot-3"));
    bad.answer_fields = {{"instance_url", std::string("no url")}};
    BOOST_TEST(refresh(named("a"), std::move(bad)) == "none");
    BOOST_TEST(lease_of_chat(named("a")).contains("Bearer bot-3"));
    BOOST_TEST(lease_of_chat(named("a")).contains("https://two.chat.example"));
}

BOOST_AUTO_TEST_CASE(a_person_gives_no_field_that_comes_from_the_provider) {
    const Entry& entry = connected("a", organization);
    for (const char* fields : {R"({"instance_url":"https://evil.example","client_secret":"s2"})",
                               R"({"instance_url":null})", R"({"bot_token":"x"})"}) {
        BOOST_TEST(edit_chat_fields(entry, fields).starts_with("invalid_request fields."), fields);
    }
}

BOOST_AUTO_TEST_CASE(states_come_and_go_and_tokens_stay) {
    const Entry& entry = connected("a", organization);
    const auto later = now + std::chrono::minutes(7);
    BOOST_TEST(change_state(entry, {.status = CredentialStatus::failing,
                                    .status_reason = "The provider does not answer.",
                                    .failures = 3,
                                    .last_failure = "upstream_failed",
                                    .refresh_at = {later}}) == "none");
    for (int start = 0; start < 2; ++start) {
        const Entry& after = named("a");
        BOOST_TEST((after.credential.status == CredentialStatus::failing));
        BOOST_TEST(after.credential.status_reason == "The provider does not answer.");
        BOOST_TEST(after.credential.revision == 2u);
        BOOST_TEST(after.credential.generation == 0u);
        BOOST_TEST(after.tokens->state.failures == 3u);
        BOOST_TEST(after.tokens->state.last_failure == "upstream_failed");
        BOOST_TEST((after.tokens->state.refresh_at == later));
        BOOST_TEST(after.tokens->state.client_secret_ends_at.has_value());
        BOOST_TEST(lease_of_chat(after).contains("Bearer bot-1"));
        open();
    }
    BOOST_TEST(refresh(named("a"), answer(token("bot", "bot-2"))) == "none");
    open();
    BOOST_TEST((named("a").credential.status == CredentialStatus::active));
    BOOST_TEST(named("a").credential.status_reason.empty());
    BOOST_TEST(named("a").tokens->state.failures == 0u);
    BOOST_TEST(named("a").tokens->state.last_failure.empty());
}

BOOST_AUTO_TEST_CASE(a_definitive_refusal_expires_it_until_it_is_connected_anew) {
    const Entry& entry = connected("a", organization);
    begin_refresh(entry, "bot");
    BOOST_TEST(change_state(entry, {.status = CredentialStatus::expired,
                                    .status_reason = "invalid_grant",
                                    .refresh_at = std::optional<vocabulary::Time>(),
                                    .ends_intent = true}) == "none");
    open();
    BOOST_TEST((named("a").credential.status == CredentialStatus::expired));
    BOOST_TEST(!named("a").tokens->state.refresh_at.has_value());
    BOOST_TEST(vault->find_intents().empty());
    BOOST_TEST(connect(named("a"), connection()) == "none");
    BOOST_TEST((named("a").credential.status == CredentialStatus::active));
}

BOOST_AUTO_TEST_CASE(pending_credentials_stay_pending_whatever_a_token_request_says_and_say_it) {
    const Entry& entry = pending("a", organization);
    BOOST_TEST(change_state(entry, {.status = CredentialStatus::expired, .status_reason = "x"}) == "none");
    for (int start = 0; start < 2; ++start) {
        BOOST_TEST((named("a").credential.status == CredentialStatus::pending));
        BOOST_TEST(named("a").credential.status_reason == "x");
        open();
    }
    BOOST_TEST(refresh(named("a"), answer(token("bot", "bot-2"))) == "credential_pending");
}

BOOST_AUTO_TEST_CASE(equal_access_tokens_have_one_fingerprint_and_different_ones_another) {
    const Entry& one = connected("one", organization);
    const Entry& two = connected("two", workspace("acme"));
    const Entry& plain = pending("three", organization);
    BOOST_TEST((leased_fingerprint(one) == leased_fingerprint(two)));
    BOOST_TEST((leased_fingerprint(one) != one.fingerprint));
    BOOST_TEST((leased_fingerprint(plain) == plain.fingerprint));
    const auto before = leased_fingerprint(one);
    BOOST_REQUIRE_EQUAL(refresh(one, answer(token("user", "user-2"))), "none");
    BOOST_TEST((leased_fingerprint(one) != before));
    BOOST_REQUIRE_EQUAL(refresh(one, answer(token("user", "user-1", "other-refresh-token"))), "none");
    BOOST_TEST((leased_fingerprint(one) == before)); // of what a lease hands out
}

BOOST_AUTO_TEST_CASE(an_edit_keeps_the_tokens_bound_to_what_it_is_now) {
    const Entry& entry = connected("a", organization);
    BOOST_REQUIRE_EQUAL(refresh(entry, answer(token("bot", "bot-2"))), "none");
    Edit rename;
    rename.name = name_of("b");
    BOOST_TEST(edit_chat(entry, std::move(rename)) == "none");
    BOOST_TEST(edit_chat_fields(named("b"), R"({"team":"T2"})") == "none");
    for (int start = 0; start < 2; ++start) {
        const Entry& after = named("b");
        BOOST_TEST(after.credential.generation == 1u);
        BOOST_TEST(after.credential.revision == 4u);
        BOOST_TEST(grant_of(after) == "s1 bot:bot-2/bot-refresh-1 user:user-1/user-refresh-1");
        open();
    }
    BOOST_TEST(refresh(named("b"), answer(token("bot", "bot-3"))) == "none");
    open();
    BOOST_TEST(lease_of_chat(named("b")).contains("bot-3"));
}

BOOST_AUTO_TEST_CASE(another_scope_seals_the_tokens_under_its_key_and_leaves_the_old_one) {
    const Entry& entry = connected("a", workspace("acme"));
    BOOST_REQUIRE_EQUAL(refresh(entry, answer(token("bot", "bot-2"))), "none");
    begin_refresh(entry, "bot");
    const auto sealed = entry.tokens->sealed;
    Edit move;
    move.scope = personal("user:flows/alice");
    BOOST_TEST(edit_chat(entry, std::move(move)) == "none");
    disk.records.erase({store::Table::keys, "workspace:acme"}); // its old scope's key has no part in it any more
    for (int start = 0; start < 2; ++start) {
        const Entry& after = named("a");
        BOOST_TEST((after.credential.scope == personal("user:flows/alice")));
        BOOST_TEST((after.tokens->sealed != sealed));
        BOOST_TEST(grant_of(after) == "s1 bot:bot-2/bot-refresh-1 user:user-1/user-refresh-1");
        BOOST_REQUIRE_EQUAL(vault->find_intents().size(), 1u);
        BOOST_TEST(vault->find_intents().front().entry == &after);
        open();
    }
}

BOOST_AUTO_TEST_CASE(tokens_never_go_to_another_destination) {
    const Entry& entry = connected("a", organization);
    begin_refresh(entry, "bot");
    BOOST_TEST(edit_chat_fields(entry, R"({"base_url":"https://evil.example"})") ==
               "secret_required fields.client_secret");
    BOOST_TEST(lease_of_chat(entry).contains("bot-1"));
    BOOST_TEST(edit_chat_fields(entry, R"({"base_url":"https://new.example","client_secret":"s2"})") == "none");
    for (int start = 0; start < 2; ++start) {
        const Entry& after = named("a");
        BOOST_TEST((after.credential.status == CredentialStatus::pending));
        BOOST_TEST(!after.tokens);
        BOOST_TEST(grant_of(after) == "s2");
        BOOST_TEST(refusal_of(vault->open(after, kind())) == "credential_pending");
        BOOST_TEST(vault->find_intents().empty());
        open();
    }
    BOOST_TEST(records_in(store::Table::tokens) == 0u);
    BOOST_TEST(refresh(named("a"), answer(token("bot", "late"))) == "credential_pending");
    BOOST_TEST(connect(named("a"), connection()) == "none");
    open();
    BOOST_TEST(named("a").credential.status_reason.empty());
    BOOST_TEST(lease_of_chat(named("a")).contains("Bearer bot-1"));
}

BOOST_AUTO_TEST_CASE(an_erased_credential_takes_its_tokens_and_its_intent_along) {
    const Entry& entry = connected("a", organization);
    BOOST_REQUIRE_EQUAL(refresh(entry, answer(token("bot", "bot-2"))), "none");
    begin_refresh(entry, "bot");
    store::Batch batch;
    Change change = vault->stage_erase(entry, batch);
    BOOST_TEST(change.after().generation == 1u); // as it was, for the log
    BOOST_TEST(settle(std::move(change), batch) == "none");
    BOOST_REQUIRE_EQUAL(disk.records.size(), 1u);
    BOOST_TEST((disk.records.begin()->first.first == store::Table::keys));
    BOOST_TEST(vault->find_intents().empty());
}

BOOST_AUTO_TEST_CASE(a_refresh_that_did_not_become_durable_changes_nothing) {
    const Entry& entry = connected("a", organization);
    {
        store::Batch batch;
        auto change =
            vault->stage_tokens(entry, kind(), generation_of(entry.credential), answer(token("bot", "bot-2")), batch);
        BOOST_TEST(change->after().generation == 1u);
        BOOST_TEST((change->tokens()->fingerprint != entry.tokens->fingerprint));
    }
    BOOST_TEST(entry.credential.generation == 0u);
    BOOST_TEST(lease_of_chat(entry).contains("bot-1"));
    BOOST_TEST(refresh(entry, answer(token("bot", "bot-2"))) == "none");
}

BOOST_AUTO_TEST_CASE(a_refresh_keeps_the_entry_s_place_its_name_and_its_last_use) {
    const Entry& entry = connected("a", organization);
    store::Batch batch;
    auto change =
        vault->stage_tokens(entry, kind(), generation_of(entry.credential), answer(token("bot", "bot-2")), batch);
    vault->note_use(entry.credential.id, organization, now); // a lease while the batch is written
    BOOST_TEST(settle(std::move(change), batch) == "none");
    BOOST_TEST(&named("a") == &entry);
    BOOST_TEST((entry.last_used_at == now));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::vault
