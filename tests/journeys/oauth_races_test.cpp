#define BOOST_TEST_DYN_LINK
#include "oauth_house.hpp"

#include <algorithm>
#include <optional>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;
using boost::json::object;

namespace {

constexpr int held_for_ms = 1200;

/// A refresh that the provider has made, and whose answer it holds back for a while.
class HeldRefresh {
  public:
    HeldRefresh(OAuthHouse& house, const std::string& id) {
        const auto before = house.provider.token_requests().size();
        house.provider.misbehave({{"do", "slow"}, {"after_ms", held_for_ms}});
        asks_ = std::jthread([this, &house, id] {
            auto client = client_of(house.daemon);
            answered_ = ask(client, "POST", "/v1/credentials/" + id + "/refresh", "{}");
        });
        BOOST_REQUIRE(house.provider.wait_for_token_requests(before + 1));
    }
    /// What was answered to whoever waited for it.
    const Answered& wait() {
        if (asks_.joinable()) asks_.join();
        return answered_;
    }

  private:
    Answered answered_;
    std::jthread asks_;
};

/// Each race is run twice: before the provider's answer, and right after it.
template <class Race> void run_both(Race race) {
    for (const bool is_before : {true, false}) {
        BOOST_TEST_CONTEXT((is_before ? "before the answer" : "right after it")) {
            OAuthHouse house({{"refresh_class", "single_use"}});
            const auto id = house.connected("raced");
            const auto token = house.token_of("raced");
            HeldRefresh held(house, id);
            if (!is_before) held.wait();
            race(house, id, token, held);
            BOOST_TEST(house.provider.uses_of_spent_tokens().empty());
        }
    }
}

std::string path_of(const std::string& id, const char* what = "") { return "/v1/credentials/" + id + what; }

std::string status_of(OAuthHouse& house, const std::string& id) { return OAuthHouse::text(house.show(id), "status"); }

unsigned refresh(OAuthHouse& house, const std::string& id) {
    return ask(house.client, "POST", path_of(id, "/refresh"), "{}").status;
}

/// Refresh tokens that the provider would still take.
std::size_t live_refresh_tokens(const OAuthHouse& house) {
    std::size_t live = 0;
    const auto answered = house.provider.control("/grants");
    for (const auto& grant : answered.at("grants").as_array()) {
        for (const auto& token : grant.at("refresh_tokens").as_array()) live += token.at("state").as_string() == "live";
    }
    return live;
}

} // namespace

BOOST_AUTO_TEST_SUITE(oauth_races)

BOOST_AUTO_TEST_CASE(a_revoke_counts_at_once_and_a_restore_goes_on_with_the_tokens_that_came) {
    run_both([](OAuthHouse& house, const std::string& id, const std::string& token, HeldRefresh& held) {
        BOOST_TEST(ask(house.client, "POST", path_of(id, "/revoke"), "{}").status == 200U);
        BOOST_TEST(house.token_of("raced").empty());
        held.wait();
        BOOST_TEST(status_of(house, id) == "revoked");
        BOOST_TEST(house.token_of("raced").empty());
        BOOST_TEST(ask(house.client, "POST", path_of(id, "/restore"), "{}").status == 200U);
        const auto newer = house.token_of("raced");
        BOOST_TEST((!newer.empty() && newer != token));
        BOOST_TEST(refresh(house, id) == 200U);
    });
}

BOOST_AUTO_TEST_CASE(a_revoke_upstream_reaches_the_tokens_that_a_refresh_brings_too) {
    run_both([](OAuthHouse& house, const std::string& id, const std::string& /*token*/, HeldRefresh& /*held*/) {
        const auto revoked = ask(house.client, "POST", path_of(id, "/revoke"), R"({"upstream":true})");
        BOOST_REQUIRE_MESSAGE(revoked.status == 200U, boost::json::serialize(revoked.json));
        for (const auto& token : revoked.json.at("upstream").as_array()) BOOST_TEST(token.at("ok").as_bool());
        BOOST_TEST(live_refresh_tokens(house) == 0U);
    });
}

BOOST_AUTO_TEST_CASE(a_revoke_upstream_that_a_restore_overtakes_revokes_nothing_at_the_provider) {
    OAuthHouse house({{"refresh_class", "single_use"}});
    const auto id = house.connected("raced");
    HeldRefresh held(house, id);
    Answered revoked;
    std::jthread revoking([&] {
        auto other = client_of(house.daemon);
        revoked = ask(other, "POST", path_of(id, "/revoke"), R"({"upstream":true})");
    });
    BOOST_REQUIRE(house.becomes(id, "revoked"));
    BOOST_TEST(ask(house.client, "POST", path_of(id, "/restore"), "{}").status == 200U);
    revoking.join();
    BOOST_TEST(revoked.code == "version_conflict");
    held.wait();
    BOOST_TEST(status_of(house, id) == "active");
    BOOST_TEST(!house.token_of("raced").empty());
    BOOST_TEST(live_refresh_tokens(house) == 1U);
    BOOST_TEST(refresh(house, id) == 200U);
}

BOOST_AUTO_TEST_CASE(a_delete_counts_at_once_and_what_comes_is_dropped) {
    run_both([](OAuthHouse& house, const std::string& id, const std::string& /*token*/, HeldRefresh& held) {
        BOOST_TEST(ask(house.client, "DELETE", path_of(id, "?force=true")).status == 204U);
        held.wait();
        BOOST_TEST(ask(house.client, "GET", path_of(id)).status == 404U);
        BOOST_TEST(house.token_of("raced").empty());
        BOOST_TEST(house.daemon.stop().value_or(-1) == 0); // nothing of it is left to wait for
        BOOST_REQUIRE(house.daemon.start());
        BOOST_TEST(ask(house.client, "GET", path_of(id)).status == 404U);
    });
}

BOOST_AUTO_TEST_CASE(an_authorization_counts_at_once_and_the_answer_for_the_earlier_grant_is_dropped) {
    run_both([](OAuthHouse& house, const std::string& id, const std::string& /*token*/, HeldRefresh& held) {
        const auto made = house.provider.control("/grant");
        const auto& answer = made.at("grants").as_array().front().at("answer");
        const auto begun = house.authorize({{"credential", id}, {"refresh_token", answer.at("refresh_token")}});
        BOOST_REQUIRE_EQUAL(begun.status, 200U);
        const auto newest = house.token_of("raced");
        BOOST_TEST(!newest.empty());
        held.wait();
        BOOST_TEST(house.token_of("raced") == newest);
        BOOST_TEST(house.show(id).at("version").to_number<int>() == 3); // the field set, and two consents
        BOOST_TEST(house.show(id).at("generation").to_number<int>() == 0);
        BOOST_TEST(refresh(house, id) == 200U);
    });
}

BOOST_AUTO_TEST_CASE(a_move_into_another_scope_keeps_the_tokens_that_come) {
    run_both([](OAuthHouse& house, const std::string& id, const std::string& token, HeldRefresh& held) {
        const auto moved =
            ask(house.client, "PATCH", path_of(id), R"({"scope":{"kind":"organization"},"notes":"of all"})");
        BOOST_REQUIRE_MESSAGE(moved.status == 200U, boost::json::serialize(moved.json));
        held.wait();
        const auto newer = house.token_of("raced");
        BOOST_TEST((!newer.empty() && newer != token));
        BOOST_TEST(refresh(house, id) == 200U);
    });
}

BOOST_AUTO_TEST_CASE(an_edit_of_its_client_or_its_places_drops_the_tokens_and_what_comes_for_them) {
    run_both([](OAuthHouse& house, const std::string& id, const std::string& /*token*/, HeldRefresh& held) {
        const object fields = {{"token_url", house.provider.origin() + "/elsewhere"},
                               {"client_id", "another"},
                               {"client_secret", "another-secret"}};
        const auto edited = ask(house.client, "PATCH", path_of(id), boost::json::serialize(object{{"fields", fields}}));
        BOOST_REQUIRE_MESSAGE(edited.status == 200U, boost::json::serialize(edited.json));
        BOOST_TEST(status_of(house, id) == "pending");
        held.wait();
        BOOST_TEST(status_of(house, id) == "pending");
        BOOST_TEST(house.token_of("raced").empty());
        BOOST_TEST(house.daemon.stop().value_or(-1) == 0);
    });
}

BOOST_AUTO_TEST_CASE(a_seal_waits_for_the_answer_and_an_unseal_goes_on_with_it) {
    run_both([](OAuthHouse& house, const std::string& id, const std::string& token, HeldRefresh& held) {
        BOOST_TEST(ask(house.client, "POST", "/v1/seal", "{}").status == 200U);
        held.wait();
        BOOST_TEST(ask(house.client, "POST", "/v1/unseal", "{}").status == 200U);
        BOOST_TEST(audit_of(house.client, "action=oauth.in_doubt").empty());
        const auto newer = house.token_of("raced");
        BOOST_TEST((!newer.empty() && newer != token));
        BOOST_TEST(refresh(house, id) == 200U);
    });
}

BOOST_AUTO_TEST_CASE(a_seal_now_does_not_wait_and_what_was_asked_is_in_doubt) {
    OAuthHouse house({{"refresh_class", "single_use"}});
    const auto id = house.connected("raced");
    const auto token = house.token_of("raced");
    house.provider.misbehave({{"do", "slow"}, {"after_ms", 60000}}); // longer than this test waits for anything
    std::jthread asks([&] {
        auto client = client_of(house.daemon);
        (void)ask(client, "POST", path_of(id, "/refresh"), "{}");
    });
    BOOST_REQUIRE(house.provider.wait_for_token_requests(2));
    const auto began = std::chrono::steady_clock::now();
    BOOST_TEST(ask(house.client, "POST", "/v1/seal", R"({"now":true})").status == 200U);
    BOOST_TEST((std::chrono::steady_clock::now() - began < 10s)); // half of [outbound] timeout
    asks.join();
    BOOST_TEST(ask(house.client, "POST", "/v1/unseal", "{}").status == 200U);
    BOOST_TEST(!audit_of(house.client, "action=oauth.in_doubt").empty());
    BOOST_TEST(house.show(id).at("oauth").at("in_doubt_since").is_string());
    BOOST_TEST(house.token_of("raced") == token);
    BOOST_TEST(house.provider.token_requests().size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_stop_waits_for_the_answer_and_a_start_goes_on_with_it) {
    run_both([](OAuthHouse& house, const std::string& id, const std::string& token, HeldRefresh& held) {
        BOOST_TEST(house.daemon.stop().value_or(-1) == 0);
        held.wait();
        BOOST_REQUIRE(house.daemon.start());
        BOOST_TEST(audit_of(house.client, "action=oauth.in_doubt").empty());
        const auto newer = house.token_of("raced");
        BOOST_TEST((!newer.empty() && newer != token));
        BOOST_TEST(refresh(house, id) == 200U);
    });
}

BOOST_AUTO_TEST_CASE(a_change_of_the_organizations_client_does_not_touch_a_refresh_under_way) {
    for (const bool is_deleted : {true, false}) {
        OAuthHouse house({{"refresh_class", "single_use"}});
        const object places = {{"token_url", house.provider.origin() + "/token"},
                               {"authorize_url", house.provider.origin() + "/authorize"}};
        const auto put = [&](const char* client_id) {
            const object app = {{"client_id", client_id}, {"client_secret", "client-secret"}, {"fields", places}};
            return ask(house.client, "PUT", "/v1/oauth/clients/oauth2", boost::json::serialize(app)).status;
        };
        BOOST_REQUIRE_EQUAL(put("client"), 201U);
        auto fields = places;
        fields["client_auth"] = "post";
        const object body = {{"service", "oauth2"}, {"name", "raced"}, {"fields", fields}};
        const auto stored = ask(house.client, "POST", "/v1/credentials", boost::json::serialize(body));
        const auto id = OAuthHouse::text(stored.json, "id");
        const auto made = house.provider.control("/grant");
        const auto& answer = made.at("grants").as_array().front().at("answer");
        const auto begun = house.authorize({{"credential", id}, {"refresh_token", answer.at("refresh_token")}});
        BOOST_REQUIRE_MESSAGE(begun.status == 200U, boost::json::serialize(begun.json));
        const auto token = house.token_of("raced");

        HeldRefresh held(house, id);
        if (is_deleted) BOOST_TEST(ask(house.client, "DELETE", "/v1/oauth/clients/oauth2").status == 204U);
        if (!is_deleted) BOOST_TEST(put("another") == 200U);
        held.wait();
        const auto newer = house.token_of("raced");
        BOOST_TEST((!newer.empty() && newer != token));
        const auto requests = house.provider.token_requests().size();
        BOOST_TEST(refresh(house, id) == 400U); // the grant stays with the client that it was made with
        BOOST_TEST(house.provider.token_requests().size() == requests);
        BOOST_TEST(put("client") == (is_deleted ? 201U : 200U)); // put back
        BOOST_TEST(refresh(house, id) == 200U);
    }
}

BOOST_AUTO_TEST_SUITE_END()
