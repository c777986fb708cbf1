#define BOOST_TEST_DYN_LINK
#include "vault/oauth_house.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::vault {
namespace {

using vocabulary::CredentialStatus;

const Scope organization = Scope::organization();

BOOST_FIXTURE_TEST_SUITE(creating_and_editing, House)

BOOST_AUTO_TEST_CASE(a_created_credential_is_found_after_a_restart_as_it_was) {
    NewCredential created =
        made("http-bearer", "Acme prod", workspace("acme"), R"({"token":"t","base_url":"https://h.example"})");
    const auto id = created.id;
    created.notes = "call Bob";
    created.owner = "user:flows/alice";
    created.expires_at = now + std::chrono::days(30);
    created.rotate_every = std::chrono::days(90);
    store::Batch batch;
    auto change = vault->stage_create(std::move(created), batch);
    BOOST_REQUIRE(change.has_value());
    BOOST_TEST(vault->size() == 0u); // nothing is there before it is durable
    BOOST_TEST(change->after().revision == 1u);
    disk.write(batch);
    vault->apply(std::move(*change));
    const std::array scopes{workspace("acme")};
    const std::string lease = lease_of(*vault->find(scopes, id));
    open();
    const Entry* entry = vault->find(scopes, id);
    BOOST_REQUIRE(entry);
    const auto& credential = entry->credential;
    BOOST_TEST(credential.name.text() == "Acme prod");
    BOOST_TEST(credential.service.text() == "http-bearer");
    BOOST_TEST(credential.auth == "bearer");
    BOOST_TEST(credential.notes == "call Bob");
    BOOST_TEST(credential.owner == "user:flows/alice");
    BOOST_TEST(credential.created_by == "operator:root");
    BOOST_TEST(credential.secret_fields == std::vector<std::string>{"token"}, boost::test_tools::per_element());
    BOOST_TEST(credential.version == 1u);
    BOOST_TEST((*credential.expires_at == now + std::chrono::days(30)));
    BOOST_TEST((*credential.rotate_every == std::chrono::days(90)));
    BOOST_TEST((credential.created_at == now && credential.updated_at == now && credential.rotated_at == now));
    BOOST_TEST((entry->fingerprint != decltype(entry->fingerprint){}));
    BOOST_TEST(lease_of(*entry) == lease);
}

BOOST_AUTO_TEST_CASE(a_missing_required_field_is_named_and_a_default_is_taken) {
    store::Batch batch;
    BOOST_TEST(refusal_of(vault->stage_create(made("postgres", "a", organization, R"({"host":"h","user":"u"})"),
                                              batch)) == "invalid_request fields.password");
    BOOST_TEST(refusal_of(vault->stage_create(made("postgres", "a", organization, R"({"user":"u","password":"p"})"),
                                              batch)) == "invalid_request fields.host");
    BOOST_TEST(batch.empty());
    const Entry& entry = create("postgres", "a", organization, R"({"host":"h","user":"u","password":"p"})");
    BOOST_TEST(std::get<std::int64_t>(entry.credential.fields.at("port")) == 5432);
    BOOST_TEST(!entry.credential.fields.contains("sslmode"));
}

BOOST_AUTO_TEST_CASE(a_name_is_unique_within_its_scope_whatever_its_case) {
    create("github",
           "Stra\xc3\x9f"
           "e Prod",
           organization, R"({"token":"t"})");
    store::Batch batch;
    for (const char* taken : {"Stra\xc3\x9f"
                              "e Prod",
                              "STRASSE PROD", "strasse prod"}) {
        BOOST_TEST(refusal_of(vault->stage_create(made("github", taken, organization, R"({"token":"t"})"), batch)) ==
                   "name_taken");
    }
    BOOST_TEST(batch.empty());
    create("github", "Strasse Prod", workspace("acme"), R"({"token":"t"})");
    create("github", "Strasse Prod 2", organization, R"({"token":"t"})");
    BOOST_TEST(vault->size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_rename_keeps_to_the_rules_of_names) {
    const Entry& one = create("github", "one", organization, R"({"token":"t"})");
    create("github", "two", organization, R"({"token":"t"})");
    Edit taken;
    taken.name = name_of("TWO");
    BOOST_TEST(refusal_of(edit(one, std::move(taken))) == "name_taken");
    Edit itself;
    itself.name = name_of("One");
    BOOST_TEST(refusal_of(edit(one, std::move(itself))) == "none");
    Edit free;
    free.name = name_of("three");
    BOOST_TEST(refusal_of(edit(one, std::move(free))) == "none");
    BOOST_TEST(vault->find_named({&organization, 1}, name_of("one")).empty());
    BOOST_TEST(vault->find_named({&organization, 1}, name_of("THREE")).front() == &one);
    create("github", "one", organization, R"({"token":"t"})");
}

BOOST_AUTO_TEST_CASE(an_edit_is_in_place_with_the_next_revision_and_survives_a_restart) {
    const Entry& entry = create("openai", "a", organization, R"({"api_key":"sk","organization":"org-1"})");
    const auto id = entry.credential.id;
    const auto fingerprint = entry.fingerprint;
    vault->note_use(id, organization, now);
    now += std::chrono::hours(1);
    auto given = read(auth("openai"), R"({"organization":"org-2"})");
    Edit change;
    change.notes = "new";
    change.expires_at.emplace(now);
    change.rotate_every.emplace(std::chrono::hours(24));
    change.fields = std::move(*given);
    BOOST_TEST(refusal_of(edit(entry, std::move(change))) == "none");
    BOOST_TEST(vault->find({&organization, 1}, id) == &entry); // the same address
    BOOST_TEST((entry.last_used_at == now - std::chrono::hours(1)));
    open();
    const Entry& after = *vault->find({&organization, 1}, id);
    BOOST_TEST(after.credential.revision == 2u);
    BOOST_TEST(after.credential.version == 1u);
    BOOST_TEST((after.credential.updated_at == now && after.credential.created_at == now - std::chrono::hours(1)));
    BOOST_TEST((after.credential.rotated_at == now - std::chrono::hours(1)));
    BOOST_TEST(after.credential.notes == "new");
    BOOST_TEST((after.fingerprint == fingerprint));
    BOOST_TEST(lease_of(after).contains(R"("OpenAI-Organization":"org-2")"));
    Edit clears;
    clears.expires_at.emplace();
    clears.rotate_every.emplace();
    BOOST_TEST(refusal_of(edit(after, std::move(clears))) == "none");
    BOOST_TEST((!after.credential.expires_at && !after.credential.rotate_every));
    BOOST_TEST(refusal_of(edit_fields(after, R"({"organization":null})")) == "none");
    BOOST_TEST(!lease_of(after).contains("OpenAI-Organization"));
}

BOOST_AUTO_TEST_CASE(a_cleared_field_gets_its_default_again) {
    const Entry& entry = create("http-api-key", "a", organization, R"({"key":"k","name":"X-Mine","prefix":"P "})");
    BOOST_TEST(refusal_of(edit_fields(entry, R"({"name":null,"prefix":null})")) == "none");
    BOOST_TEST(lease_of(entry).contains(R"({"X-API-Key":"k"})"));
}

BOOST_AUTO_TEST_CASE(a_destination_changes_only_with_every_secret_given_anew) {
    const Entry& entry =
        create("http-bearer", "a", organization, R"({"token":"old","base_url":"https://good.example"})");
    const auto fingerprint = entry.fingerprint;
    for (const char* fields : {R"({"base_url":"https://evil.example"})", R"({"base_url":null})"}) {
        BOOST_TEST(refusal_of(edit_fields(entry, fields)) == "secret_required fields.token");
    }
    BOOST_TEST(entry.credential.revision == 1u);
    BOOST_TEST(refusal_of(edit_fields(entry, R"({"base_url":"https://new.example","token":"new"})")) == "none");
    BOOST_TEST(lease_of(entry).contains(R"("Bearer new")"));
    BOOST_TEST(lease_of(entry).contains(R"("https://new.example")"));
    BOOST_TEST(entry.credential.version == 1u);
    BOOST_TEST((entry.fingerprint != fingerprint));
    open();
    BOOST_TEST(lease_of(**vault->find_named({&organization, 1}, name_of("a")).begin()).contains(R"("Bearer new")"));
}

BOOST_AUTO_TEST_CASE(setting_a_destination_that_was_not_set_is_a_change_too) {
    const Entry& entry = create("http-bearer", "a", organization, R"({"token":"old"})");
    BOOST_TEST(refusal_of(edit_fields(entry, R"({"base_url":"https://evil.example"})")) ==
               "secret_required fields.token");
    const Entry& postgres = create("postgres", "b", organization, R"({"host":"h","user":"u","password":"p"})");
    for (const char* fields : {R"({"host":"evil"})", R"({"port":1})", R"({"sslmode":"disable"})"}) {
        BOOST_TEST(refusal_of(edit_fields(postgres, fields)) == "secret_required fields.password", fields);
    }
    BOOST_TEST(refusal_of(edit_fields(postgres, R"({"host":"h","port":5432,"database":"d","user":"u"})")) ==
               "none"); // the same place
}

BOOST_AUTO_TEST_CASE(some_secrets_given_anew_are_not_all) {
    const auto kind = catalog::read_service(
        R"({"id":"two","name":"Two","auth":[{"name":"two","label":"Two","fields":[
            {"name":"host","type":"string","label":"H","destination":true},{"name":"a","type":"string","label":"A","secret":true},
            {"name":"b","type":"string","label":"B","secret":true},{"name":"c","type":"string","label":"C","secret":true}]}]})",
        "two.json");
    const auto& two = kind->auth_types.front();
    NewCredential created = made("github", "a", organization, R"({"token":"t"})");
    created.service = &*kind;
    created.auth = &two;
    created.fields = std::move(*read(two, R"({"host":"h","a":"1","b":"2"})"));
    const auto id = created.id;
    store::Batch batch;
    vault->apply(std::move(*vault->stage_create(std::move(created), batch)));
    const Entry& entry = *vault->find({&organization, 1}, id);
    const auto stage_fields = [&](const char* fields) {
        store::Batch ignored;
        Edit change;
        change.fields = std::move(*read(two, fields));
        return refusal_of(vault->stage_edit(entry, two, std::move(change), ignored));
    };
    BOOST_TEST(stage_fields(R"({"host":"evil","a":"3"})") == "secret_required fields.b");
    BOOST_TEST(stage_fields(R"({"host":"evil","a":null})") == "secret_required fields.b");
    BOOST_TEST(stage_fields(R"({"host":"evil","a":"3","b":null})") == "none"); // what is cleared goes nowhere
    BOOST_TEST(stage_fields(R"({"host":"evil","a":"3","b":"4","c":"5"})") == "none");
    BOOST_TEST(stage_fields(R"({"host":"h","a":"3","b":"4"})") == "invalid_request fields.a");
}

BOOST_AUTO_TEST_CASE(a_secret_without_a_new_destination_is_for_rotate) {
    const Entry& entry =
        create("aws", "a", organization, R"({"access_key_id":"i","secret_access_key":"s","session_token":"t"})");
    BOOST_TEST(refusal_of(edit_fields(entry, R"({"secret_access_key":"s2"})")) ==
               "invalid_request fields.secret_access_key");
    BOOST_TEST(refusal_of(edit_fields(entry, R"({"session_token":null})")) == "invalid_request fields.session_token");
    const auto refused = edit_fields(entry, R"({"secret_access_key":"s2"})");
    BOOST_TEST(refused.error().next_step.view().contains("a credential of its own"));
    BOOST_TEST(entry.credential.revision == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_secret_that_no_lease_holds_is_given_anew_in_place_and_the_tokens_stay, OAuthHouse) {
    const Entry& entry = connected("a", organization);
    const auto fingerprint = entry.fingerprint;
    BOOST_TEST(edit_chat_fields(entry, R"({"client_secret":"s2","team":"T2"})") == "none");
    BOOST_TEST((entry.fingerprint != fingerprint));
    BOOST_TEST((entry.credential.status == CredentialStatus::active && entry.credential.version == 2u));
    open();
    BOOST_TEST(grant_of(named("a")) == "s2 bot:bot-1/bot-refresh-1 user:user-1/user-refresh-1");
}

BOOST_FIXTURE_TEST_CASE(of_several_secrets_those_that_an_edit_does_not_name_stay, OAuthHouse) {
    const Entry& entry = pending("a", organization, R"({"client_id":"c1","client_secret":"s1","extra":"e1"})");
    const auto secrets = [&] { return names_in(vault->open_grant(entry)->fields); };
    BOOST_TEST(edit_chat_fields(entry, R"({"extra":"e2"})") == "invalid_request fields.extra"); // leases hold it
    BOOST_TEST(edit_chat_fields(entry, R"({"client_secret":"s2"})") == "none");
    BOOST_TEST((secrets() == std::vector<std::string>{"extra", "client_secret"}));
    BOOST_TEST((entry.credential.secret_fields == secrets()));
    BOOST_TEST(edit_chat_fields(entry, R"({"client_secret":null})") == "none"); // a public client from now on
    BOOST_TEST((secrets() == std::vector<std::string>{"extra"}));
    BOOST_TEST((entry.credential.secret_fields == secrets()));
}

BOOST_FIXTURE_TEST_CASE(when_a_new_client_secret_ends_is_what_a_person_says_or_the_entrys_rule, OAuthHouse) {
    NewConnection own = connection();
    own.terms.client = vocabulary::ClientOwner::credential;
    BOOST_REQUIRE_EQUAL(connect(pending("a", organization), std::move(own)), "none");
    const auto end_after = [&](std::optional<vocabulary::Duration> rule, Edit change) {
        auto changed = kind();
        changed.oauth->client_secret = *changed.find_field("client_secret");
        changed.oauth->clocks.client_secret = rule;
        change.now = now;
        store::Batch batch;
        BOOST_TEST(settle(vault->stage_edit(named("a"), changed, std::move(change), batch), batch) == "none");
        return named("a").tokens->state.client_secret_ends_at;
    };
    const auto with_secret = [&] {
        Edit change;
        change.fields = std::move(*read(kind(), R"({"client_secret":"s2"})"));
        return change;
    };
    const auto told = named("a").tokens->state.client_secret_ends_at;
    BOOST_REQUIRE(told.has_value());
    BOOST_TEST((end_after(std::chrono::days(9), {}) == told));
    BOOST_TEST((end_after(std::chrono::days(9), with_secret()) == now + std::chrono::days(9)));
    Edit said = with_secret();
    said.client_secret_ends_at.emplace(now + std::chrono::days(1));
    BOOST_TEST((end_after(std::chrono::days(9), std::move(said)) == now + std::chrono::days(1)));
    BOOST_TEST(!end_after(std::nullopt, with_secret()).has_value()); // nobody knows
}

BOOST_AUTO_TEST_CASE(a_public_field_that_changes_with_its_secret_is_not_changed_without_it) {
    const Entry& key =
        create("aws", "a", organization, R"({"access_key_id":"i","secret_access_key":"s","region":"r"})");
    BOOST_TEST(refusal_of(edit_fields(key, R"({"access_key_id":"i2"})")) == "secret_required fields.secret_access_key");
    BOOST_TEST(edit_fields(key, R"({"access_key_id":"i","region":"r2"})").has_value()); // it stays what it was
    const Entry& login =
        create("postgres", "p", organization, R"({"host":"h","database":"d","user":"u","password":"p"})");
    BOOST_TEST(refusal_of(edit_fields(login, R"({"user":"u2"})")) == "secret_required fields.password");
    BOOST_TEST(refusal_of(edit_fields(login, R"({"user":null})")) != "none");
    BOOST_TEST(edit_fields(login, R"({"database":"d2"})").has_value());
    BOOST_TEST(edit_fields(login, R"({"host":"h2","user":"u2","password":"p2"})").has_value());
}

BOOST_AUTO_TEST_CASE(another_scope_seals_under_its_key_and_leaves_the_old_one) {
    const Entry& entry = create("github", "a", workspace("acme"), R"({"token":"t"})");
    const auto id = entry.credential.id;
    create("github", "taken", organization, R"({"token":"t"})");
    const auto sealed = entry.sealed;
    Edit move;
    move.scope = organization;
    Edit clash;
    clash.scope = organization;
    clash.name = name_of("TAKEN");
    BOOST_TEST(refusal_of(edit(entry, std::move(clash))) == "name_taken");
    BOOST_TEST(refusal_of(edit(entry, std::move(move))) == "none");
    BOOST_TEST((entry.sealed != sealed));
    const std::array acme{workspace("acme")};
    const auto check = [&] {
        BOOST_TEST(vault->find(acme, id) == nullptr);
        BOOST_TEST(vault->find_named(acme, name_of("a")).empty());
        const Entry* moved = vault->find({&organization, 1}, id);
        BOOST_REQUIRE(moved);
        BOOST_TEST(lease_of(*moved).contains("Bearer t"));
    };
    check();
    disk.records.erase({store::Table::keys, "workspace:acme"}); // its old scope's key has no part in it any more
    open();
    check();
    Edit personally;
    personally.scope = personal("user:flows/alice");
    BOOST_TEST(refusal_of(edit(*vault->find({&organization, 1}, id), std::move(personally))) == "none");
    open();
    const std::array alice{personal("user:flows/alice")};
    BOOST_TEST(lease_of(*vault->find(alice, id)).contains("Bearer t"));
}

BOOST_AUTO_TEST_CASE(an_erased_credential_leaves_no_record_but_its_scopes_key) {
    const Entry& entry = create("github", "a", organization, R"({"token":"t"})");
    const auto id = entry.credential.id;
    BOOST_TEST(refusal_of(edit_fields(entry, R"({})")) == "none");
    store::Batch batch;
    Change change = vault->stage_erase(entry, batch);
    BOOST_TEST(change.after().name.text() == "a");
    BOOST_TEST(vault->find({&organization, 1}, id) == &entry);
    disk.write(batch);
    vault->apply(std::move(change));
    BOOST_TEST(vault->find({&organization, 1}, id) == nullptr);
    BOOST_TEST(vault->find_named({&organization, 1}, name_of("a")).empty());
    BOOST_REQUIRE_EQUAL(disk.records.size(), 1u);
    BOOST_TEST((disk.records.begin()->first.first == store::Table::keys));
    create("github", "a", organization, R"({"token":"t"})"); // the name is free again
}

BOOST_AUTO_TEST_CASE(a_scopes_key_is_made_once) {
    create("github", "a", organization, R"({"token":"t"})");
    create("github", "b", organization, R"({"token":"t"})");
    open();
    create("github", "c", organization, R"({"token":"t"})");
    BOOST_TEST(
        std::ranges::count_if(disk.records, [](const auto& at) { return at.first.first == store::Table::keys; }) == 1);
    BOOST_TEST(disk.records.at({store::Table::keys, "organization"}).revision == 1u);
    BOOST_TEST(vault->all_scopes().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_change_that_did_not_become_durable_changes_nothing) {
    const Entry& entry = create("github", "a", organization, R"({"token":"t"})");
    {
        store::Batch batch;
        Edit change;
        change.name = name_of("b");
        change.scope = workspace("acme");
        const auto staged = stage(entry, std::move(change), batch);
        BOOST_TEST(staged->after().name.text() == "b");
    }
    BOOST_TEST(entry.credential.name.text() == "a");
    BOOST_TEST(vault->all_scopes().size() == 1u);
    BOOST_TEST(lease_of(entry).contains("Bearer t"));
    BOOST_TEST(refusal_of(edit_fields(entry, "{}")) == "none");
}

BOOST_AUTO_TEST_CASE(past_its_end_a_credential_is_expired_unless_it_is_revoked) {
    vocabulary::Credential credential;
    credential.expires_at = now;
    const auto before = now - std::chrono::milliseconds(1);
    for (const auto& [status, past] : {std::pair(CredentialStatus::active, CredentialStatus::expired),
                                       std::pair(CredentialStatus::failing, CredentialStatus::expired),
                                       std::pair(CredentialStatus::revoked, CredentialStatus::revoked),
                                       std::pair(CredentialStatus::pending, CredentialStatus::pending)}) {
        credential.status = status;
        BOOST_TEST((effective_status(credential, before) == status));
        BOOST_TEST((effective_status(credential, now) == past));
    }
    credential.expires_at.reset();
    credential.status = CredentialStatus::active;
    BOOST_TEST((effective_status(credential, now) == CredentialStatus::active));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::vault
