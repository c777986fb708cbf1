#define BOOST_TEST_DYN_LINK
#include "vault/oauth_house.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::vault {
namespace {

using vocabulary::CredentialStatus;

const Scope organization = Scope::organization();

struct Revoked : OAuthHouse {
    void revoke(const Entry& entry) {
        store::Batch batch;
        auto change = vault->stage_revoke(entry, "revoked by operator:root", now, batch);
        BOOST_REQUIRE_EQUAL(settle(std::move(change), batch), "none");
        open();
        BOOST_TEST((named("a").credential.status == CredentialStatus::revoked));
    }
    /// After a restart, and once more after it was restored.
    void check_restored(CredentialStatus status, std::string_view reason) {
        open();
        BOOST_TEST((named("a").credential.status == CredentialStatus::revoked));
        BOOST_TEST(named("a").credential.status_reason == "revoked by operator:root");
        store::Batch batch;
        auto change = vault->stage_restore(named("a"), now, batch);
        BOOST_REQUIRE_EQUAL(settle(std::move(change), batch), "none");
        for (int starts = 0; starts < 2; ++starts) {
            BOOST_TEST((named("a").credential.status == status));
            BOOST_TEST(named("a").credential.status_reason == reason);
            open();
        }
    }
};

BOOST_FIXTURE_TEST_SUITE(revoked_grants, Revoked)

BOOST_AUTO_TEST_CASE(what_was_moved_while_it_was_revoked_waits_for_its_authorization_once_it_is_restored) {
    revoke(connected("a", organization));
    BOOST_TEST(edit_chat_fields(named("a"), R"({"base_url":"https://two.chat.example","client_secret":"s2"})") ==
               "none");
    check_restored(CredentialStatus::pending, "A field that decides where its tokens go was changed.");
    BOOST_TEST(refusal_of(vault->open(named("a"), kind())) == "credential_pending");
}

BOOST_AUTO_TEST_CASE(what_was_authorized_while_it_was_revoked_is_active_once_it_is_restored) {
    revoke(pending("a", organization));
    BOOST_TEST(connect(named("a"), connection()) == "none");
    check_restored(CredentialStatus::active, "");
    BOOST_TEST(lease_of_chat(named("a")).contains("bot-1"));
}

BOOST_AUTO_TEST_CASE(a_grant_that_died_and_was_authorized_anew_while_it_was_revoked_is_active_once_it_is_restored) {
    const Entry& entry = connected("a", organization);
    BOOST_TEST(change_state(entry, {.status = CredentialStatus::expired, .status_reason = "dead"}) == "none");
    revoke(entry);
    BOOST_TEST(connect(named("a"), connection()) == "none");
    check_restored(CredentialStatus::active, "");
}

BOOST_AUTO_TEST_CASE(what_a_refresh_under_way_says_of_a_revoked_grant_counts_once_it_is_restored) {
    revoke(connected("a", organization));
    BOOST_TEST(change_state(named("a"), {.status = CredentialStatus::expired, .status_reason = "dead"}) == "none");
    check_restored(CredentialStatus::expired, "dead");
    revoke(named("a"));
    BOOST_TEST(refresh(named("a"), answer(token("bot", "bot-2"))) == "none");
    check_restored(CredentialStatus::active, "");
}

BOOST_AUTO_TEST_CASE(what_waits_for_its_authorization_does_so_whatever_comes_of_a_request_and_says_it) {
    revoke(pending("a", organization));
    BOOST_TEST(change_state(named("a"), {.status = CredentialStatus::failing, .status_reason = "x"}) == "none");
    check_restored(CredentialStatus::pending, "x");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::vault
