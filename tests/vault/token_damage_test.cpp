#define BOOST_TEST_DYN_LINK
#include "vault/oauth_house.hpp"
#include "vault/records.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::vault {
namespace {

using store::Table;

const Scope organization = Scope::organization();

struct Damaged : OAuthHouse {
    Damaged() {
        connected("one", organization);
        connected("two", organization);
        connected("elsewhere", workspace("acme"));
        BOOST_REQUIRE_EQUAL(refresh(named("one"), answer(token("bot", "bot-2", "bot-refresh-2"))), "none");
    }

    /// Opens neither for a lease nor for a request, and is named.
    void check_damaged(std::string_view name) {
        const Entry& entry = named(name);
        const auto opened = vault->open(entry, kind());
        BOOST_REQUIRE_EQUAL(refusal_of(opened), "damaged");
        BOOST_TEST(opened.error().about.text() == entry.credential.id.text());
        BOOST_TEST(refusal_of(vault->open_grant(entry)) == "damaged");
        BOOST_TEST(refresh(entry, answer(token("bot", "bot-9"))) == "damaged");
    }
    void check_whole(std::string_view name) { BOOST_TEST(grant_of(named(name)).starts_with("s1 bot:"), name); }

    /// Puts back a changed record, as one that holds the record key could.
    void tamper(std::string_view name, const std::function<void(SealedTokens&)>& change) {
        auto& record = record_of(Table::tokens, named(name));
        SealedTokens tokens = *read_tokens(credential_key(named(name).credential.id), record.value);
        change(tokens);
        record.value = write_tokens(tokens);
        open();
    }
    void tamper_credential(std::string_view name, const std::function<void(vocabulary::Credential&)>& change) {
        vocabulary::Credential credential = named(name).credential;
        change(credential);
        record_of(Table::credentials, named(name)).value = write_credential(credential);
        open();
    }
};

BOOST_FIXTURE_TEST_SUITE(token_damage, Damaged)

BOOST_AUTO_TEST_CASE(untouched_tokens_open) {
    open();
    for (const char* name : {"one", "two", "elsewhere"}) check_whole(name);
}

BOOST_AUTO_TEST_CASE(tokens_of_another_credential_do_not_open) {
    std::swap(record_of(Table::tokens, named("one")).value, record_of(Table::tokens, named("two")).value);
    open();
    check_damaged("one");
    check_damaged("two");
    check_whole("elsewhere");
}

BOOST_AUTO_TEST_CASE(tokens_of_another_generation_do_not_open) {
    tamper("one", [](SealedTokens& tokens) { tokens.generation += 1; });
    check_damaged("one");
    tamper("two", [](SealedTokens& tokens) { tokens.generation += 1; });
    check_damaged("two");
}

BOOST_AUTO_TEST_CASE(tokens_of_an_earlier_version_do_not_open) {
    const std::string before = record_of(Table::tokens, named("two")).value;
    BOOST_REQUIRE_EQUAL(connect(named("two"), connection()), "none");
    record_of(Table::tokens, named("two")).value = before;
    open();
    check_damaged("two");
    check_whole("one");
}

BOOST_AUTO_TEST_CASE(tokens_that_were_sealed_for_another_scope_do_not_open) {
    const auto moved = *read_tokens(credential_key(named("elsewhere").credential.id),
                                    record_of(Table::tokens, named("elsewhere")).value);
    tamper("two", [&](SealedTokens& tokens) { tokens.sealed = moved.sealed; });
    check_damaged("two");
    Edit move;
    move.scope = workspace("other");
    const std::string before = record_of(Table::tokens, named("elsewhere")).value;
    BOOST_REQUIRE_EQUAL(edit_chat(named("elsewhere"), std::move(move)), "none");
    record_of(Table::tokens, named("elsewhere")).value = before;
    open();
    const auto refused = vault->open(named("elsewhere"), kind()); // nothing at its new place is its own
    BOOST_REQUIRE_EQUAL(refusal_of(refused), "damaged");
    BOOST_TEST(refused.error().about.text() == named("elsewhere").credential.id.text());
}

BOOST_AUTO_TEST_CASE(what_is_shown_of_tokens_is_bound_to_them) {
    const std::vector<std::function<void(vocabulary::OAuthState&)>> changes{
        [](auto& state) { state.terms.token_url = "https://evil.example/token"; },
        [](auto& state) { state.terms.client_auth = vocabulary::ClientAuth::none; },
        [](auto& state) { state.terms.client = vocabulary::ClientOwner::credential; },
        [](auto& state) { state.terms.client_id = "c2"; },
        [](auto& state) { state.terms.scopes.push_back("admin"); },
        [](auto& state) { state.terms.parameters.clear(); },
        [](auto& state) { state.account = "other"; },
        [](auto& state) { std::swap(state.tokens[0], state.tokens[1]); },
        [](auto& state) { state.tokens[0].access_ends_at.reset(); },
        [](auto& state) { state.tokens[0].refresh_ends_at.reset(); },
        [](auto& state) { state.tokens[1].has_refresh_token = false; },
        [](auto& state) { state.tokens[0].lost_scopes.push_back("admin"); },
        [](auto& state) { state.connected_at += std::chrono::seconds(1); },
        [](auto& state) { state.refresh_at.reset(); },
        [](auto& state) { state.failures = 9; },
        [](auto& state) { state.may_be_refused_for = std::chrono::seconds(9); },
        [](auto& state) { state.client_secret_ends_at.reset(); },
    };
    const std::string honest = record_of(Table::tokens, named("two")).value;
    for (const auto& change : changes) {
        tamper("two", [&](SealedTokens& tokens) { change(tokens.state); });
        check_damaged("two");
        record_of(Table::tokens, named("two")).value = honest;
        open();
        check_whole("two");
    }
}

BOOST_AUTO_TEST_CASE(public_fields_are_bound_to_the_tokens) {
    tamper_credential("one", [](auto& credential) { credential.notes = "names and notes are not bound"; });
    check_whole("one");
    tamper_credential(
        "one", [](auto& credential) { credential.fields.at("instance_url") = std::string("https://evil.example"); });
    check_damaged("one");
}

BOOST_AUTO_TEST_CASE(a_secret_field_s_record_is_no_token_set_and_the_other_way_round) {
    const auto version =
        *read_version(version_key(named("two").credential.id, 2),
                      disk.records.at({Table::versions, version_key(named("two").credential.id, 2)}).value);
    tamper("two", [&](SealedTokens& tokens) { tokens.sealed = version.sealed; });
    check_damaged("two");
}

BOOST_AUTO_TEST_CASE(every_flipped_bit_of_sealed_tokens_is_found) {
    auto& record = record_of(Table::tokens, named("two"));
    const std::size_t sealed = read_tokens(credential_key(named("two").credential.id), record.value)->sealed.size();
    for (std::size_t bit = (record.value.size() - sealed) * 8; bit < record.value.size() * 8; ++bit) {
        const auto flip = [&] { record.value[bit / 8] = static_cast<char>(record.value[bit / 8] ^ (1 << bit % 8)); };
        flip();
        open();
        BOOST_TEST_REQUIRE(refusal_of(vault->open(named("two"), kind())) == "damaged");
        flip();
    }
}

BOOST_AUTO_TEST_CASE(damaged_tokens_are_refused_and_the_others_serve_on) {
    vault->forget(Table::tokens, credential_key(named("one").credential.id));
    const auto opened = vault->open(named("one"), kind());
    BOOST_REQUIRE_EQUAL(refusal_of(opened), "damaged");
    BOOST_TEST(opened.error().about.text() == named("one").credential.id.text());
    BOOST_TEST(refresh(named("one"), answer(token("bot", "bot-9"))) == "damaged");
    check_whole("two");
    // Nothing takes their place: a record is put as a new one, which the store refuses where there is a damaged one.
    store::Batch batch;
    auto change = vault->stage_connect(named("one"), kind(), connection(), batch);
    BOOST_REQUIRE(change.has_value());
    for (const auto& put : batch.changes()) BOOST_TEST((put.table != Table::tokens || put.revision == 1u));
    store::Batch erased;
    Change gone = vault->stage_erase(named("one"), erased);
    for (const auto& erase : erased.changes()) BOOST_TEST((erase.table != Table::tokens));
}

BOOST_AUTO_TEST_CASE(missing_tokens_are_damage_and_a_re_authorization_mends_it) {
    disk.records.erase({Table::tokens, credential_key(named("one").credential.id)});
    open();
    const auto opened = vault->open(named("one"), kind());
    BOOST_REQUIRE_EQUAL(refusal_of(opened), "damaged");
    BOOST_TEST(connect(named("one"), connection()) == "none");
    open();
    check_whole("one");
}

BOOST_AUTO_TEST_CASE(tokens_without_their_credential_are_passed_over) {
    disk.records.erase({Table::credentials, credential_key(named("one").credential.id)});
    open();
    BOOST_TEST(vault->size() == 2u);
    check_whole("two");
}

BOOST_AUTO_TEST_CASE(cut_lengthened_or_unknown_token_records_are_damaged_and_named) {
    const std::string key = credential_key(named("two").credential.id);
    const std::string& written = record_of(Table::tokens, named("two")).value;
    const std::size_t sealed = read_tokens(key, written)->sealed.size();
    BOOST_TEST((write_tokens(*read_tokens(key, written)) == written));
    for (std::size_t size = 0; size < written.size() - sealed; ++size) {
        const auto read = read_tokens(key, written.substr(0, size));
        BOOST_TEST_REQUIRE(refusal_of(read) == "damaged");
        BOOST_TEST_REQUIRE(read.error().about.text() == key);
    }
    BOOST_TEST(refusal_of(read_tokens(key, '\2' + written.substr(1))) == "damaged");
    BOOST_TEST(refusal_of(read_tokens("cred_nonsense", written)) == "damaged");
    for (std::size_t bit = 0; bit < (written.size() - sealed) * 8; ++bit) { // must be survived
        std::string flipped = written;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
        const std::vector<char> exact(flipped.begin(), flipped.end());
        (void)read_tokens(key, {exact.data(), exact.size()});
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::vault
