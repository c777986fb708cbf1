#define BOOST_TEST_DYN_LINK
#include "vault/oauth_house.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::vault {
namespace {

const Scope organization = Scope::organization();

struct Rescue : OAuthHouse {
    /// A refresh's answer that the store refused.
    std::string rescued_refresh(const Entry& entry) {
        store::Batch lost;
        const auto change = vault->stage_tokens(entry, kind(), generation_of(entry.credential),
                                                answer(token("bot", "bot-2", "bot-refresh-2")), lost);
        BOOST_REQUIRE(change.has_value());
        return Vault::write_rescued(*change);
    }
    std::string rescued_connection(const Entry& entry) {
        store::Batch lost;
        const auto change = vault->stage_connect(entry, kind(), connection(), lost);
        BOOST_REQUIRE(change.has_value());
        return Vault::write_rescued(*change);
    }
    /// What a refusal says of it.
    std::string store_rescued(const Entry& entry, std::string_view bytes) {
        const auto rescued = vault->read_rescued(bytes);
        if (!rescued) return refusal_of(rescued);
        store::Batch batch;
        auto change = vault->stage_rescued(entry, kind(), *rescued, batch);
        return settle(std::move(change), batch);
    }
};

BOOST_FIXTURE_TEST_SUITE(rescued_tokens, Rescue)

BOOST_AUTO_TEST_CASE(a_refresh_that_the_store_refused_is_stored_after_a_restart) {
    connected("a", organization);
    begin_refresh(named("a"), "bot");
    const auto bytes = rescued_refresh(named("a"));
    for (const auto* plain : {"bot-2", "bot-refresh-2", "user-1"}) BOOST_TEST(!bytes.contains(plain));
    open();
    BOOST_TEST(!lease_of_chat(named("a")).contains("bot-2"));
    BOOST_TEST(store_rescued(named("a"), bytes) == "none");
    open();
    BOOST_TEST(grant_of(named("a")) == "s1 bot:bot-2/bot-refresh-2 user:user-1/user-refresh-1");
    BOOST_TEST((generation_of(named("a").credential) == Generation{.version = 2, .number = 1}));
    BOOST_TEST(vault->find_intents().empty());
    BOOST_TEST(named("a").tokens->state.account == "acme");
}

BOOST_AUTO_TEST_CASE(first_tokens_that_the_store_refused_are_stored_after_a_restart) {
    pending("a", organization);
    const auto bytes = rescued_connection(named("a"));
    open();
    BOOST_TEST(store_rescued(named("a"), bytes) == "none");
    open();
    const auto& entry = named("a");
    BOOST_TEST((entry.credential.status == vocabulary::CredentialStatus::active));
    BOOST_TEST(grant_of(entry) == "s1 bot:bot-1/bot-refresh-1 user:user-1/user-refresh-1");
    BOOST_TEST((entry.tokens->state.terms == connection().terms));
    BOOST_TEST((entry.credential.fields.at("instance_url") ==
                vocabulary::PublicValue(std::string("https://one.chat.example"))));
}

BOOST_AUTO_TEST_CASE(what_was_changed_of_the_credential_meanwhile_stays) {
    connected("a", organization);
    const auto bytes = rescued_refresh(named("a"));
    Edit edit;
    edit.name = name_of("b");
    edit.scope = workspace("acme");
    BOOST_REQUIRE_EQUAL(edit_chat(named("a"), std::move(edit)), "none");
    store::Batch batch;
    auto revoke = vault->stage_revoke(named("b"), "leaked", now, batch);
    BOOST_REQUIRE_EQUAL(settle(std::move(revoke), batch), "none");
    BOOST_TEST(store_rescued(named("b"), bytes) == "none");
    BOOST_TEST((named("b").credential.status == vocabulary::CredentialStatus::revoked));
    BOOST_TEST(grant_of(named("b")).contains("bot-2/bot-refresh-2"));
}

BOOST_AUTO_TEST_CASE(what_follows_other_tokens_is_refused) {
    connected("a", organization);
    const auto refreshed = rescued_refresh(named("a"));
    const auto connected_anew = rescued_connection(named("a"));
    BOOST_TEST(store_rescued(named("a"), refreshed) == "none");
    BOOST_TEST(store_rescued(named("a"), refreshed) == "version_conflict"); // it is there already
    BOOST_TEST(store_rescued(named("a"), connected_anew) == "none");        // a person's consent is newer
    BOOST_TEST(store_rescued(named("a"), connected_anew) == "version_conflict");
    BOOST_TEST(store_rescued(named("a"), refreshed) == "version_conflict");
    BOOST_TEST(grant_of(named("a")).contains("bot-1/bot-refresh-1"));
}

BOOST_AUTO_TEST_CASE(rescued_tokens_never_go_to_another_destination) {
    connected("a", organization);
    const auto refreshed = rescued_refresh(named("a"));
    const auto connected_anew = rescued_connection(named("a"));
    BOOST_REQUIRE_EQUAL(edit_chat_fields(named("a"), R"({"base_url":"https://evil.example","client_secret":"s1"})"),
                        "none");
    BOOST_TEST(store_rescued(named("a"), refreshed) == "version_conflict");
    BOOST_TEST(store_rescued(named("a"), connected_anew) == "version_conflict");
}

BOOST_AUTO_TEST_CASE(what_was_copied_changed_or_cut_does_not_authenticate) {
    connected("a", organization);
    connected("b", organization);
    const auto bytes = rescued_refresh(named("a"));
    for (std::size_t size = 0; size < bytes.size(); size += 7) {
        BOOST_TEST(refusal_of(vault->read_rescued(std::string_view(bytes).substr(0, size))) == "damaged");
    }
    auto of_another = bytes;
    const auto id = named("a").credential.id.text();
    for (auto at = of_another.find(id); at != std::string::npos; at = of_another.find(id)) {
        of_another.replace(at, id.size(), named("b").credential.id.text());
    }
    BOOST_TEST(store_rescued(named("b"), of_another) == "damaged");
    auto flipped = bytes;
    flipped.back() = static_cast<char>(flipped.back() ^ 1);
    BOOST_TEST(store_rescued(named("a"), flipped) == "damaged");
    BOOST_TEST(grant_of(named("a")).contains("bot-1/bot-refresh-1"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::vault
