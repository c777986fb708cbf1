#define BOOST_TEST_DYN_LINK
#include "oauth_house.hpp"

#include <algorithm>
#include <thread>

using namespace credlease;
using namespace credlease::tests;
using boost::json::object;

namespace {

constexpr auto secret_for_elsewhere = "secret-for-elsewhere-4f1c";
constexpr auto nowhere = "https://127.0.0.1:1"; ///< another place: nobody listens there
constexpr int held_for_ms = 1500;

/// A credential, or the organization's client, that moves to another place with a secret for that.
struct Moving : OAuthHouse {
    Moving() : OAuthHouse({{"device_interval", 1}}) {}

    [[nodiscard]] std::string origin() const { return provider.origin(); }
    [[nodiscard]] static object by_urls(const std::string& origin) {
        return {{"authorize_url", origin + "/authorize"},
                {"token_url", origin + "/token"},
                {"revoke_url", origin + "/revoke"},
                {"device_url", origin + "/device_authorization"}};
    }
    [[nodiscard]] static object by_issuer(const std::string& issuer) { return {{"issuer", issuer}}; }
    /// With a client of its own, here.
    std::string store_with(const object& places, const std::string& flow) {
        object fields = {
            {"client_id", "client"}, {"client_secret", "client-secret"}, {"client_auth", "post"}, {"flow", flow}};
        for (const auto& [field, value] : places) fields[field] = value;
        return store_fields(flow, fields);
    }
    void move(const std::string& id, object places) {
        places["client_secret"] = secret_for_elsewhere;
        const auto body = boost::json::serialize(object{{"fields", places}});
        const auto edited = ask(client, "PATCH", "/v1/credentials/" + id, body);
        BOOST_REQUIRE_MESSAGE(edited.status == 200U, boost::json::serialize(edited.json));
        BOOST_TEST(text(edited.json, "status") == "pending");
    }
    void put_organizations(const object& places, const char* secret) {
        const object app = {{"client_id", "client"}, {"client_secret", secret}, {"fields", places}};
        const auto put = ask(client, "PUT", "/v1/oauth/clients/oauth2", boost::json::serialize(app));
        BOOST_REQUIRE_MESSAGE(put.status / 100 == 2U, boost::json::serialize(put.json));
    }
    [[nodiscard]] Answered state_of(const Answered& begun) {
        return ask(client, "GET", "/v1/oauth/authorizations/" + text(begun.json, "id"));
    }
    [[nodiscard]] bool fails(const Answered& begun) {
        return comes_true([&] { return text(state_of(begun).json, "state") == "failed"; });
    }
    [[nodiscard]] bool has_seen_the_secret() const {
        const auto seen = provider.control("/secrets");
        const auto& all = seen.at("secrets").as_array();
        BOOST_TEST(!all.empty());
        return std::ranges::any_of(all, [](const auto& one) { return one.as_string() == secret_for_elsewhere; });
    }
    void expect_unconnected(const std::string& id) {
        BOOST_TEST(text(show(id), "status") == "pending");
        BOOST_TEST(audit_of(client, "action=oauth.connected").empty());
        BOOST_TEST(!has_seen_the_secret());
    }
};

} // namespace

/// A secret that was given for one place is never sent to another.
BOOST_AUTO_TEST_SUITE(oauth_places)

BOOST_AUTO_TEST_CASE(an_authorization_that_was_begun_at_an_issuer_sends_nothing_there_once_the_credential_has_another) {
    for (const char* flow : {"device", "authorization_code"}) {
        Moving house;
        const auto id = house.store_with(Moving::by_issuer(house.origin()), flow);
        const auto begun = house.authorize({{"credential", id}});
        BOOST_REQUIRE_EQUAL(begun.status, 201U);
        const bool by_device = begun.json.as_object().contains("user_code");
        if (by_device) BOOST_REQUIRE(house.provider.wait_for_token_requests(1));
        std::string address;
        if (!by_device) address = OAuthHouse::visit(OAuthHouse::text(begun.json, "authorize_url"));
        house.move(id, Moving::by_issuer(nowhere));
        if (!by_device) BOOST_TEST(house.complete(begun, address).code == "invalid_request");
        BOOST_TEST(house.fails(begun));
        house.expect_unconnected(id);
    }
}

BOOST_AUTO_TEST_CASE(an_authorization_by_the_organizations_client_sends_nothing_there_once_that_is_for_another) {
    for (const bool by_issuer : {true, false}) {
        Moving house;
        const auto places = [&](const std::string& origin) {
            return by_issuer ? Moving::by_issuer(origin) : Moving::by_urls(origin);
        };
        house.put_organizations(places(house.origin()), "client-secret");
        const auto id = house.store_fields("here", {{"client_auth", "post"}});
        const auto far = house.store_fields("far", {{"client_auth", "post"}, {"flow", "device"}});
        const auto begun = house.authorize({{"credential", id}});
        BOOST_REQUIRE_EQUAL(begun.status, 201U);
        const auto polled = house.authorize({{"credential", far}});
        BOOST_REQUIRE_EQUAL(polled.status, 201U);
        const auto address = OAuthHouse::visit(OAuthHouse::text(begun.json, "authorize_url"));
        BOOST_REQUIRE(house.provider.wait_for_token_requests(1));
        house.put_organizations(places(nowhere), secret_for_elsewhere);
        BOOST_TEST(house.complete(begun, address).code == "invalid_request");
        BOOST_TEST((house.fails(begun) && house.fails(polled)));
        house.expect_unconnected(id);
        house.expect_unconnected(far);
    }
}

BOOST_AUTO_TEST_CASE(what_an_issuer_says_while_the_credential_moves_to_another_is_not_followed) {
    for (const char* flow : {"client_credentials", "authorization_code"}) {
        Moving house;
        const int asked = std::string_view(flow) == "client_credentials" ? 2 : 1; // also by the broker itself
        house.provider.misbehave(
            {{"do", "slow"}, {"endpoint", "discovery"}, {"times", asked}, {"after_ms", held_for_ms}});
        const auto id = house.store_with(Moving::by_issuer(house.origin()), flow);
        Answered begun;
        std::jthread asks([&] {
            auto other = client_of(house.daemon);
            const auto body = boost::json::serialize(object{{"credential", id}});
            begun = ask(other, "POST", "/v1/oauth/authorizations", body);
        });
        const auto is_held = [&] {
            return house.provider.control("/counters").at("providers").at("").at("waiting").to_number<int>() == 0;
        };
        BOOST_REQUIRE(OAuthHouse::comes_true(is_held));
        house.move(id, Moving::by_issuer(nowhere));
        asks.join();
        BOOST_TEST(begun.status / 100 != 2U);
        BOOST_TEST(house.provider.token_requests().empty());
        BOOST_TEST(OAuthHouse::text(house.show(id), "status") == "pending");
    }
}

BOOST_AUTO_TEST_CASE(tokens_that_come_from_the_place_before_are_dropped) {
    for (const std::string how : {"code", "device", "refresh_token", "client_credentials"}) {
        BOOST_TEST_CONTEXT(how) {
            Moving house;
            house.provider.misbehave({{"do", "slow"}, {"after_ms", held_for_ms}});
            const std::string flow = how == "client_credentials" ? how : "authorization_code";
            const auto id = house.store_with(Moving::by_urls(house.origin()), flow);
            std::string path = "/v1/oauth/authorizations";
            object asked = {{"credential", id}};
            if (how == "refresh_token") {
                const auto made = house.provider.control("/grant");
                asked[how] = made.at("grants").at(0).at("answer").at(how);
            } else if (how == "code") {
                const auto begun = house.authorize(asked);
                asked = {{"redirect_url", OAuthHouse::visit(OAuthHouse::text(begun.json, "authorize_url"))}};
                path += '/' + OAuthHouse::text(begun.json, "id") + "/complete";
            } else if (how == "device") {
                asked["flow"] = how;
                const auto begun = house.authorize(asked);
                house.provider.control("/device", {{"user_code", OAuthHouse::text(begun.json, "user_code")}});
                path += '/' + OAuthHouse::text(begun.json, "id");
            }
            Answered answered;
            std::jthread asks([&] {
                if (how == "device") return; // it is polled for
                auto other = client_of(house.daemon);
                answered = ask(other, "POST", path, boost::json::serialize(asked));
            });
            BOOST_REQUIRE(house.provider.wait_for_token_requests(1));
            house.move(id, Moving::by_urls(nowhere));
            asks.join();
            if (how == "device") {
                BOOST_TEST(OAuthHouse::comes_true([&] {
                    answered = ask(house.client, "GET", path);
                    return OAuthHouse::text(answered.json, "state") != "pending";
                }));
            }
            const bool is_told = answered.status / 100 != 2U || OAuthHouse::text(answered.json, "state") == "failed";
            BOOST_TEST(is_told);
            house.expect_unconnected(id);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_refresh_sends_the_organizations_new_secret_to_the_token_url_that_came_with_it) {
    Moving house;
    auto places = Moving::by_urls(house.origin());
    places["issuer"] = house.origin();
    house.put_organizations(places, "client-secret");
    const auto id = house.store_fields("here", {{"client_auth", "post"}});
    const auto begun = house.authorize({{"credential", id}});
    const auto done = house.complete(begun, OAuthHouse::visit(OAuthHouse::text(begun.json, "authorize_url")));
    BOOST_REQUIRE(OAuthHouse::text(done.json, "state") == "connected");
    places["token_url"] = std::string(nowhere) + "/token"; // of the same issuer
    house.put_organizations(places, secret_for_elsewhere);
    BOOST_TEST(ask(house.client, "POST", "/v1/credentials/" + id + "/refresh", "{}").code == "invalid_request");
    places.erase("token_url"); // its metadata name one, which need not be the one from before
    house.put_organizations(places, secret_for_elsewhere);
    BOOST_TEST(ask(house.client, "POST", "/v1/credentials/" + id + "/refresh", "{}").code == "invalid_request");
    BOOST_TEST(!house.has_seen_the_secret());
}

BOOST_AUTO_TEST_CASE(tokens_that_need_no_person_are_asked_for_by_the_client_that_is_named_now) {
    const object another = {{"id", "another"}, {"secret", "client-secret"}};
    OAuthHouse house({{"clients", boost::json::array{object{}, another}}});
    for (const bool is_reauthorized : {false, true}) {
        const std::string name = is_reauthorized ? "reauthorized" : "refreshed";
        const auto id = house.store(name, {{"flow", "client_credentials"}});
        BOOST_REQUIRE(house.becomes(id, "active"));
        const auto before = house.token_of(name);
        const auto body = boost::json::serialize(object{{"fields", object{{"client_id", "another"}}}});
        const auto edited = ask(house.client, "PATCH", "/v1/credentials/" + id, body);
        BOOST_REQUIRE_EQUAL(edited.status, 200U);
        if (is_reauthorized) BOOST_TEST(house.authorize({{"credential", id}}).status == 200U);
        if (!is_reauthorized)
            BOOST_TEST(ask(house.client, "POST", "/v1/credentials/" + id + "/refresh").status == 200U);
        BOOST_TEST(house.provider.token_requests().back().at("client").as_string() == "another");
        const auto after = house.token_of(name);
        BOOST_TEST((!after.empty() && after != before));
        BOOST_TEST(ask(house.client, "POST", "/v1/credentials/" + id + "/refresh").status == 200U);
        BOOST_TEST(house.provider.token_requests().back().at("client").as_string() == "another");
        BOOST_TEST(house.provider.token_requests("client_credentials").size() == (is_reauthorized ? 6U : 3U));
    }
}

BOOST_AUTO_TEST_SUITE_END()
