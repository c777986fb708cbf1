#define BOOST_TEST_DYN_LINK
#include "oauth_house.hpp"

#include <algorithm>
#include <set>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;
using boost::json::object;

namespace {

/// Access tokens that live so long.
object short_lived(int seconds, const std::string& refresh_class) {
    return {{"refresh_class", refresh_class}, {"lifetimes", object{{"access", seconds}}}};
}

bool has_action(Client& client, const std::string& action) { return !audit_of(client, "action=" + action).empty(); }

} // namespace

BOOST_AUTO_TEST_SUITE(oauth)

BOOST_AUTO_TEST_CASE(client_credentials_are_connected_by_themselves_and_leased) {
    OAuthHouse house;
    const auto id = house.store("own", {{"flow", "client_credentials"}});
    BOOST_TEST(house.becomes(id, "active"));
    auto lease = house.client.lease({.credential = "own"});
    BOOST_REQUIRE_MESSAGE(lease.ok(), house.daemon.log());
    BOOST_TEST(secret_of(*lease, "access_token").starts_with("zat_"));
    BOOST_TEST(!secret_of(*lease, "access_token").empty());
    BOOST_TEST(house.show(id).at("oauth").at("failures").to_number<int>() == 0);
    BOOST_TEST(house.provider.token_requests().size() == 1U);
    BOOST_TEST(has_action(house.client, "oauth.connected"));
}

BOOST_AUTO_TEST_CASE(an_issuer_names_the_endpoints) {
    OAuthHouse house;
    const object fields = {{"issuer", house.provider.origin()},
                           {"client_id", "client"},
                           {"client_secret", "client-secret"},
                           {"client_auth", "post"},
                           {"flow", "client_credentials"}};
    BOOST_TEST(house.becomes(house.store_fields("found", fields), "active"));
}

BOOST_AUTO_TEST_CASE(a_person_consents_and_pastes_the_address) {
    OAuthHouse house;
    const auto id = house.store("mine");
    BOOST_TEST(house.token_of("mine").empty());
    const auto begun = house.authorize({{"credential", id}});
    BOOST_REQUIRE_EQUAL(begun.status, 201U);
    BOOST_TEST(OAuthHouse::text(begun.json, "state") == "pending");
    BOOST_TEST(OAuthHouse::text(begun.json, "redirect_uri") == "http://127.0.0.1:7466/oauth/callback");
    const auto again = house.authorize({{"credential", id}}); // whoever began it gets it again
    BOOST_TEST(OAuthHouse::text(again.json, "id") == OAuthHouse::text(begun.json, "id"));

    const auto address = OAuthHouse::visit(OAuthHouse::text(begun.json, "authorize_url"));
    BOOST_REQUIRE(address.starts_with("http://127.0.0.1:7466/oauth/callback?code="));
    auto forged = address;
    forged.replace(forged.find("state=") + 6, 4, "AAAA");
    BOOST_TEST(house.complete(begun, forged).code == "invalid_request");
    const auto done = house.complete(begun, address);
    BOOST_TEST(done.status == 200U);
    BOOST_TEST(OAuthHouse::text(done.json, "state") == "connected");
    BOOST_TEST(done.json.as_object().if_contains("authorize_url") == nullptr);
    BOOST_TEST(house.complete(begun, address).code == "invalid_request"); // its state counts once
    BOOST_TEST(OAuthHouse::text(house.show(id), "status") == "active");
    BOOST_TEST(!house.token_of("mine").empty());
    BOOST_TEST(has_action(house.client, "oauth.started"));

    // Authorized anew it keeps its id, and is another version.
    const auto before = house.show(id).at("version").to_number<int>();
    const auto anew = house.authorize({{"credential", id}});
    BOOST_REQUIRE_EQUAL(anew.status, 201U);
    const auto second = OAuthHouse::visit(OAuthHouse::text(anew.json, "authorize_url"));
    BOOST_TEST(OAuthHouse::text(house.complete(anew, second).json, "state") == "connected");
    BOOST_TEST(house.show(id).at("version").to_number<int>() == before + 1);
}

BOOST_AUTO_TEST_CASE(a_person_who_says_no_is_told_so_and_may_begin_again) {
    OAuthHouse house;
    const auto id = house.store("mine");
    house.provider.misbehave({{"do", "error"}, {"endpoint", "authorize"}, {"error", "access_denied"}});
    const auto begun = house.authorize({{"credential", id}});
    const auto done = house.complete(begun, OAuthHouse::visit(OAuthHouse::text(begun.json, "authorize_url")));
    BOOST_TEST(OAuthHouse::text(done.json, "state") == "failed");
    BOOST_TEST(!OAuthHouse::text(done.json, "error").empty());
    BOOST_TEST(OAuthHouse::text(house.show(id), "status") == "pending");
    BOOST_TEST(house.authorize({{"credential", id}}).status == 201U);
    BOOST_TEST(has_action(house.client, "oauth.failed"));
}

BOOST_AUTO_TEST_CASE(a_service_and_a_name_store_the_credential_too) {
    OAuthHouse house;
    const object fields = {{"token_url", house.provider.origin() + "/token"},
                           {"authorize_url", house.provider.origin() + "/authorize"},
                           {"client_id", "client"},
                           {"client_secret", "client-secret"},
                           {"client_auth", "post"}};
    const auto begun = house.authorize({{"service", "oauth2"}, {"name", "new"}, {"fields", fields}});
    BOOST_REQUIRE_EQUAL(begun.status, 201U);
    const auto done = house.complete(begun, OAuthHouse::visit(OAuthHouse::text(begun.json, "authorize_url")));
    BOOST_TEST(OAuthHouse::text(done.json, "state") == "connected");
    BOOST_TEST(!house.token_of("new").empty());
}

BOOST_AUTO_TEST_CASE(a_long_address_is_given_whole_and_one_too_long_for_servers_is_refused_when_it_is_begun) {
    OAuthHouse house;
    const auto store_with_scopes_of = [&](std::size_t bytes) {
        constexpr std::size_t count = 60;
        boost::json::array scopes;
        for (std::size_t i = 0; i < count; ++i)
            scopes.emplace_back(std::string(bytes / count - 2, 's') + std::to_string(i));
        return house.store("of " + std::to_string(bytes), {{"scopes", scopes}});
    };
    const auto begun = house.authorize({{"credential", store_with_scopes_of(7400)}});
    BOOST_REQUIRE_EQUAL(begun.status, 201U);
    const auto address = OAuthHouse::text(begun.json, "authorize_url");
    BOOST_TEST(address.size() > 7400U);
    const auto completed = house.complete(begun, OAuthHouse::visit(address));
    BOOST_TEST(OAuthHouse::text(completed.json, "state") == "connected");
    for (const std::size_t bytes : {8000U, 20000U}) {
        const auto id = store_with_scopes_of(bytes);
        const auto body = boost::json::serialize(object{{"credential", id}});
        const auto refused = house.client.send({.method = "POST", .path = "/v1/oauth/authorizations", .json = body});
        BOOST_REQUIRE(!refused.ok());
        BOOST_TEST(refused.error().code == "invalid_request");
        BOOST_TEST(refused.error().field == "fields.scopes");
        BOOST_TEST(!house.show(id).as_object().contains("authorization"));
    }
}

BOOST_AUTO_TEST_CASE(tokens_are_refreshed_by_themselves_and_only_the_newest_is_spent) {
    for (const std::string refresh_class :
         {"static", "rotating", "single_use", "single_use_grace", "kills_access_token"}) {
        OAuthHouse house(short_lived(3, refresh_class));
        const auto id = house.connected("fresh", {{"refresh_class", refresh_class}});
        std::set<std::string> tokens;
        for (int i = 0; i < 60; ++i) {
            const auto token = house.token_of("fresh");
            BOOST_TEST(!token.empty(), refresh_class);
            tokens.insert(token);
            std::this_thread::sleep_for(100ms);
        }
        BOOST_TEST(tokens.size() >= 3U, refresh_class << ": " << tokens.size());
        BOOST_TEST(house.provider.uses_of_spent_tokens().empty(), refresh_class);
        BOOST_TEST(house.show(id).at("generation").to_number<int>() >= 2);
        BOOST_TEST(has_action(house.client, "oauth.refreshed"));
    }
}

BOOST_AUTO_TEST_CASE(a_provider_that_fails_is_asked_again_and_its_live_token_is_leased_meanwhile) {
    OAuthHouse house(short_lived(3600, "rotating"));
    const auto id = house.connected("failing", {{"refresh_class", "rotating"}});
    const auto token = house.token_of("failing");
    house.provider.misbehave({{"do", "status"}, {"status", 503}});
    BOOST_TEST(ask(house.client, "POST", "/v1/credentials/" + id + "/refresh", "{}").code == "upstream_failed");
    BOOST_TEST(OAuthHouse::text(house.show(id), "status") == "failing");
    BOOST_TEST(house.token_of("failing") == token);
    BOOST_TEST(house.becomes(id, "active")); // five seconds later, by itself
    BOOST_TEST(house.token_of("failing") != token);
}

BOOST_AUTO_TEST_CASE(tokens_survive_a_restart_and_a_kill) {
    OAuthHouse house(short_lived(3600, "single_use"));
    house.connected("kept");
    const auto token = house.token_of("kept");
    BOOST_TEST(house.daemon.stop().value_or(-1) == 0);
    BOOST_REQUIRE(house.daemon.start());
    BOOST_TEST(house.token_of("kept") == token);
    house.daemon.kill9();
    BOOST_REQUIRE(house.daemon.start());
    BOOST_TEST(house.token_of("kept") == token);
    BOOST_TEST(house.provider.token_requests().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_credential_without_a_client_of_its_own_asks_by_the_organizations_and_nowhere_else) {
    OAuthHouse house;
    const object places = {{"token_url", house.provider.origin() + "/token"},
                           {"authorize_url", house.provider.origin() + "/authorize"}};
    auto fields = places;
    fields["client_auth"] = "post";
    const auto add = [&](const std::string& name, object more) {
        for (const auto& [field, value] : more) fields[field] = value;
        const object body = {{"service", "oauth2"}, {"name", name}, {"fields", fields}};
        return OAuthHouse::text(ask(house.client, "POST", "/v1/credentials", boost::json::serialize(body)).json, "id");
    };
    const auto id = add("shared", {});
    BOOST_TEST(house.authorize({{"credential", id}}).code == "invalid_request"); // there is no client yet
    const object app = {{"client_id", "client"}, {"client_secret", "client-secret"}, {"fields", places}};
    const auto put = ask(house.client, "PUT", "/v1/oauth/clients/oauth2", boost::json::serialize(app));
    BOOST_REQUIRE_MESSAGE(put.status == 201U, boost::json::serialize(put.json));

    const auto begun = house.authorize({{"credential", id}});
    BOOST_REQUIRE_MESSAGE(begun.status == 201U, boost::json::serialize(begun.json));
    const auto done = house.complete(begun, OAuthHouse::visit(OAuthHouse::text(begun.json, "authorize_url")));
    BOOST_TEST(OAuthHouse::text(done.json, "state") == "connected");
    BOOST_TEST(!house.token_of("shared").empty());
    BOOST_TEST(ask(house.client, "POST", "/v1/credentials/" + id + "/refresh", "{}").status == 200U);

    // Not for tokens of the app itself, and not at another place.
    const auto greedy = add("greedy", {{"flow", "client_credentials"}});
    BOOST_TEST(house.authorize({{"credential", greedy}}).code == "forbidden");
    const auto elsewhere =
        add("elsewhere", {{"flow", "authorization_code"}, {"token_url", "https://127.0.0.1:1/token"}});
    BOOST_TEST(house.authorize({{"credential", elsewhere}}).code == "invalid_request");

    // A grant stays with the client that it was made with.
    const auto requests = house.provider.token_requests().size();
    BOOST_TEST(ask(house.client, "DELETE", "/v1/oauth/clients/oauth2").status == 204U);
    BOOST_TEST(ask(house.client, "POST", "/v1/credentials/" + id + "/refresh", "{}").status == 400U);
    BOOST_TEST(house.provider.token_requests().size() == requests);
    BOOST_TEST(!house.token_of("shared").empty()); // the live token serves on
}

BOOST_AUTO_TEST_CASE(a_revoke_upstream_says_what_became_of_each_token) {
    OAuthHouse house(short_lived(3600, "rotating"));
    const auto id = house.connected("leaked", {{"refresh_class", "rotating"}});
    const auto path = "/v1/credentials/" + id + "/revoke";
    const auto revoked = ask(house.client, "POST", path, R"({"upstream":true})");
    BOOST_REQUIRE_MESSAGE(revoked.status == 200U, boost::json::serialize(revoked.json));
    BOOST_TEST(OAuthHouse::text(revoked.json, "status") == "revoked");
    const auto& tokens = revoked.json.at("upstream").as_array();
    BOOST_TEST(tokens.size() == 2U);
    for (const auto& token : tokens) BOOST_TEST(token.at("ok").as_bool(), boost::json::serialize(token));
    BOOST_TEST(house.token_of("leaked").empty());
    BOOST_TEST(has_action(house.client, "oauth.revoked"));
    const auto restored = ask(house.client, "POST", "/v1/credentials/" + id + "/restore", "{}");
    BOOST_TEST(OAuthHouse::text(restored.json, "status") == "expired");
    BOOST_TEST(house.show(id).at("oauth").at("refresh_at").is_null()); // nothing is left to ask with
    BOOST_TEST(OAuthHouse::text(restored.json, "status_reason") == "its tokens were revoked at the provider");
    BOOST_TEST(house.token_of("leaked").empty());
    BOOST_TEST(ask(house.client, "POST", "/v1/credentials/" + id + "/refresh", "{}").code == "credential_expired");

    const auto plain = store_token(house.client, "plain", "tok_0a1b2c3d4e5f6071");
    BOOST_TEST(ask(house.client, "POST", "/v1/credentials/" + plain + "/revoke", R"({"upstream":true})").status ==
               400U);
}

BOOST_AUTO_TEST_CASE(a_revoke_upstream_counts_here_though_the_issuer_is_silent) {
    OAuthHouse house;
    const object fields = {{"issuer", house.provider.origin()},
                           {"client_id", "client"},
                           {"client_secret", "client-secret"},
                           {"client_auth", "post"},
                           {"flow", "client_credentials"}};
    const auto id = house.store_fields("found", fields);
    BOOST_REQUIRE(house.becomes(id, "active"));
    house.provider.misbehave({{"do", "status"}, {"endpoint", "discovery"}, {"status", 503}, {"times", 2}});
    const auto revoked = ask(house.client, "POST", "/v1/credentials/" + id + "/revoke", R"({"upstream":true})");
    BOOST_REQUIRE_MESSAGE(revoked.status == 200U, boost::json::serialize(revoked.json));
    BOOST_TEST(OAuthHouse::text(revoked.json, "status") == "revoked");
    const auto& tokens = revoked.json.at("upstream").as_array();
    BOOST_REQUIRE(tokens.size() == 1U);
    BOOST_TEST(!tokens.front().at("ok").as_bool());
    BOOST_TEST(OAuthHouse::text(tokens.front(), "detail").contains("metadata"));
    BOOST_TEST(house.token_of("found").empty());
}

BOOST_AUTO_TEST_CASE(a_machine_without_a_browser_is_connected_by_a_code_typed_elsewhere) {
    OAuthHouse house({{"device_interval", 1}});
    const auto id = house.store("far", {{"device_url", house.provider.origin() + "/device_authorization"}});
    const auto browser = house.authorize({{"credential", id}});
    const auto begun = house.authorize({{"credential", id}, {"flow", "device"}}); // takes the place of the other
    BOOST_TEST(begun.status == 201U);
    const auto old = ask(house.client, "GET", "/v1/oauth/authorizations/" + OAuthHouse::text(browser.json, "id"));
    BOOST_TEST(OAuthHouse::text(old.json, "state") == "failed");
    BOOST_REQUIRE_MESSAGE(begun.status == 201U, boost::json::serialize(begun.json));
    const auto code = OAuthHouse::text(begun.json, "user_code");
    BOOST_TEST(OAuthHouse::text(begun.json, "verification_uri").starts_with(house.provider.origin()));
    std::this_thread::sleep_for(1500ms);
    const auto path = "/v1/oauth/authorizations/" + OAuthHouse::text(begun.json, "id");
    BOOST_TEST(OAuthHouse::text(ask(house.client, "GET", path).json, "state") == "pending");
    house.provider.control("/device", {{"user_code", code}, {"verdict", "approved"}});
    BOOST_TEST(house.becomes(id, "active"));
    BOOST_TEST(OAuthHouse::text(ask(house.client, "GET", path).json, "state") == "connected");
    BOOST_TEST(!house.token_of("far").empty());

    const auto again = house.authorize({{"credential", id}, {"flow", "device"}});
    house.provider.control("/device",
                           {{"user_code", OAuthHouse::text(again.json, "user_code")}, {"verdict", "denied"}});
    std::string state = "pending";
    const auto second = "/v1/oauth/authorizations/" + OAuthHouse::text(again.json, "id");
    for (int i = 0; i < 100 && state == "pending"; ++i) {
        std::this_thread::sleep_for(100ms);
        state = OAuthHouse::text(ask(house.client, "GET", second).json, "state");
    }
    BOOST_TEST(state == "failed");
    BOOST_TEST(OAuthHouse::text(house.show(id), "status") == "active"); // what it had stays

    const auto third = house.authorize({{"credential", id}, {"flow", "device"}}); // a stop does not wait for the person
    BOOST_REQUIRE_EQUAL(third.status, 201U);
    BOOST_TEST(house.daemon.stop(2s).value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(no_token_is_shown_or_logged) {
    OAuthHouse house(short_lived(3600, "rotating"));
    const auto id = house.connected("quiet");
    const auto token = house.token_of("quiet");
    BOOST_REQUIRE(!token.empty());
    const auto& shown = boost::json::serialize(house.show(id));
    const auto& log = boost::json::serialize(ask(house.client, "GET", "/v1/audit?limit=500").json);
    for (const auto& secret : {token, std::string("client-secret")}) {
        BOOST_TEST(!shown.contains(secret));
        BOOST_TEST(!log.contains(secret));
        BOOST_TEST(!house.daemon.log().contains(secret));
    }
    auto lease = house.client.lease({.credential = "quiet"});
    BOOST_REQUIRE(lease.ok());
    BOOST_TEST(!lease->expose("client_secret", [](std::string_view) {}));
}

BOOST_AUTO_TEST_CASE(a_token_that_is_good_for_longer_is_asked_for_and_not_time_and_again) {
    OAuthHouse house(short_lived(40, "rotating"));
    const auto id = house.connected("long");
    const auto lease_for = [&](std::chrono::seconds min_valid) {
        auto lease = house.client.lease({.credential = "long", .min_valid = min_valid});
        BOOST_REQUIRE_MESSAGE(lease.ok(), (lease.ok() ? std::string() : lease.error().sentence));
        return lease->generation();
    };
    const auto first = lease_for(1s);
    BOOST_TEST(lease_for(1h) == first); // it is new: another would hardly live longer
    std::this_thread::sleep_for(5s);    // a tenth of its life, and more
    BOOST_TEST(lease_for(1s) == first);
    BOOST_TEST(lease_for(1h) == first + 1);
    BOOST_TEST(lease_for(1h) == first + 1);
}

BOOST_AUTO_TEST_CASE(the_organizations_new_secret_does_not_go_where_its_client_was_for_before) {
    OAuthHouse house;
    object places = {{"token_url", house.provider.origin() + "/token"},
                     {"authorize_url", house.provider.origin() + "/authorize"}};
    object app = {{"client_id", "client"}, {"client_secret", "client-secret"}, {"fields", places}};
    const auto put = [&] {
        return ask(house.client, "PUT", "/v1/oauth/clients/oauth2", boost::json::serialize(app)).status;
    };
    BOOST_REQUIRE_EQUAL(put(), 201U);
    const auto id = house.store_fields("shared", {{"client_auth", "post"}});
    const auto begun = house.authorize({{"credential", id}});
    const auto done = house.complete(begun, OAuthHouse::visit(OAuthHouse::text(begun.json, "authorize_url")));
    BOOST_TEST(OAuthHouse::text(done.json, "state") == "connected");
    const auto refresh = [&] { return ask(house.client, "POST", "/v1/credentials/" + id + "/refresh", "{}"); };
    BOOST_TEST(refresh().status == 200U);
    auto elsewhere = house.provider.origin() + "/token";
    elsewhere.replace(elsewhere.find("127.0.0.1"), 9, "localhost");
    places["token_url"] = elsewhere;
    app["fields"] = places;
    app["client_secret"] = "another-secret-4f1c";
    BOOST_REQUIRE_EQUAL(put(), 200U);
    const auto before = house.provider.token_requests().size();
    BOOST_TEST(refresh().code == "invalid_request");
    BOOST_TEST(house.provider.token_requests().size() == before);
    BOOST_TEST(!house.token_of("shared").empty());
}

BOOST_AUTO_TEST_SUITE_END()
