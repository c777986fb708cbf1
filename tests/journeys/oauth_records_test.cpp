#define BOOST_TEST_DYN_LINK
#include "oauth_house.hpp"
#include "support/event_reader.hpp"

#include <boost/json/parse.hpp>

using namespace credlease;
using namespace credlease::tests;
using boost::json::object;

namespace {

/// What the log says of authorizations and refreshes, beside what a person is shown.
struct RecordHouse : OAuthHouse {
    [[nodiscard]] static std::string path_of(const Answered& begun) {
        return "/v1/oauth/authorizations/" + text(begun.json, "id");
    }
    [[nodiscard]] std::vector<std::string> details_of(const std::string& action) {
        std::vector<std::string> details;
        for (const auto& record : audit_of(client, "action=" + action)) {
            details.emplace_back(record.at("detail").as_string());
        }
        return details;
    }
    [[nodiscard]] bool has_failed(const std::string& detail) {
        const auto is_it = [&](const std::string& each) { return each.starts_with(detail); };
        return std::ranges::any_of(details_of("oauth.failed"), is_it);
    }
    [[nodiscard]] object public_app() const {
        const object places = {{"token_url", provider.origin() + "/token"},
                               {"authorize_url", provider.origin() + "/authorize"}};
        return {{"client_id", "client"}, {"fields", places}};
    }
    [[nodiscard]] unsigned put_client() {
        auto app = public_app();
        app["client_secret"] = "client-secret";
        return ask(client, "PUT", "/v1/oauth/clients/oauth2", boost::json::serialize(app)).status;
    }
    [[nodiscard]] Answered refresh(const std::string& id) {
        return ask(client, "POST", "/v1/credentials/" + id + "/refresh", "{}");
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(oauth_records, RecordHouse)

BOOST_AUTO_TEST_CASE(each_authorization_that_was_begun_has_its_end_in_the_log) {
    const auto id = store("asked", {{"device_url", provider.origin() + "/device_authorization"}});
    provider.misbehave({{"do", "error"}, {"error", "invalid_grant"}});
    const auto pasted = authorize({{"credential", id}, {"refresh_token", "refresh-token-of-nobody"}});
    BOOST_TEST(text(pasted.json, "state") == "failed");
    BOOST_TEST(has_failed("The provider refused: invalid_grant"));
    BOOST_TEST(text(audit_of(client, "action=oauth.failed").front(), "reason").starts_with("The provider refused"));

    provider.misbehave({{"do", "error"}, {"endpoint", "device"}, {"error", "invalid_client"}});
    BOOST_TEST(authorize({{"credential", id}, {"flow", "device"}}).code == "upstream_failed");
    BOOST_TEST(has_failed("The provider gave no code for a device."));

    const auto given_up = authorize({{"credential", id}});
    BOOST_TEST(ask(client, "DELETE", path_of(given_up)).status == 204U);
    BOOST_TEST(has_failed("It was given up."));

    BOOST_TEST(authorize({{"credential", id}}).status == 201U);
    BOOST_TEST(authorize({{"credential", id}, {"flow", "device"}}).status == 201U);
    BOOST_TEST(has_failed("Another was begun in its place."));

    BOOST_REQUIRE(daemon.stop().has_value());
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    BOOST_TEST(has_failed("The broker was sealed or stopped."));
    connect(id);
    const auto count = [&](const std::string& action) { return audit_of(client, "action=" + action).size(); };
    BOOST_TEST(count("oauth.started") == 6U);
    BOOST_TEST(count("oauth.failed") == 5U);
    BOOST_TEST(count("oauth.connected") == 1U);
    for (const auto& record : audit_of(client, "action=oauth.failed")) {
        BOOST_TEST(text(record, "credential") == id);
        BOOST_TEST(text(record, "principal") == "operator:root");
    }
}

BOOST_AUTO_TEST_CASE(a_credential_shows_that_a_consent_is_waited_for_or_how_the_last_one_failed) {
    const auto id = store("asked");
    const auto shows = [&] { return show(id).as_object(); };
    BOOST_TEST(!shows().contains("authorization"));
    const auto begun = authorize({{"credential", id}});
    const auto waiting = shows().at("authorization");
    BOOST_TEST(text(waiting, "state") == "pending");
    BOOST_TEST(text(waiting, "expires_at") == text(begun.json, "expires_at"));
    BOOST_TEST(!boost::json::serialize(waiting).contains("authorize"));
    provider.misbehave({{"do", "error"}, {"endpoint", "authorize"}, {"error", "access_denied"}});
    BOOST_TEST(text(complete(begun, visit(text(begun.json, "authorize_url"))).json, "state") == "failed");
    BOOST_TEST(text(shows().at("authorization"), "state") == "failed");
    BOOST_TEST(text(shows().at("authorization"), "error").starts_with("The provider refused: "));
    connect(id);
    BOOST_TEST(!shows().contains("authorization"));
}

BOOST_AUTO_TEST_CASE(the_end_of_the_organization_s_secret_is_changed_alone_and_the_secret_stays) {
    constexpr auto path = "/v1/oauth/clients/oauth2";
    const auto patch = [&](const std::string& body) { return ask(client, "PATCH", path, body); };
    BOOST_TEST(patch(R"({"client_secret_ends_at":null})").code == "not_found");
    BOOST_REQUIRE_EQUAL(put_client(), 201U);
    const auto before = ask(client, "GET", path).json;
    const auto changed = patch(R"({"client_secret_ends_at":"2038-01-01T00:00:00.000Z"})");
    BOOST_REQUIRE_EQUAL(changed.status, 200U);
    BOOST_TEST(changed.etag == "\"2\"");
    BOOST_TEST(text(changed.json, "client_secret_ends_at") == "2038-01-01T00:00:00.000Z");
    for (const auto* member : {"client_id", "client_secret", "fields", "auth"}) {
        BOOST_TEST(boost::json::serialize(changed.json.at(member)) == boost::json::serialize(before.at(member)));
    }
    const auto record = audit_of(client, "action=oauth_client.changed").front();
    BOOST_REQUIRE_EQUAL(record.at("changes").as_array().size(), 1U);
    BOOST_TEST(text(record.at("changes").at(0), "member") == "client_secret_ends_at");
    for (const auto* wrong : {R"({"client_secret_ends_at":"2001-01-01T00:00:00Z"})", R"({"client_secret_ends_at":7})",
                              R"({"client_id":"other","client_secret_ends_at":null})", "{}"}) {
        BOOST_TEST(patch(wrong).code == "invalid_request");
    }
    BOOST_REQUIRE(daemon.stop().has_value()); // as it is stored
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    connect(store_fields("shared", {{"client_auth", "post"}})); // the provider looks at the secret
    BOOST_TEST(patch(R"({"client_secret_ends_at":null})").json.at("client_secret_ends_at").is_null());
    BOOST_TEST(ask(client, "PUT", path, boost::json::serialize(public_app())).status == 200U);
    BOOST_TEST(patch(R"({"client_secret_ends_at":"2038-01-01T00:00:00Z"})").code == "invalid_request");
}

BOOST_AUTO_TEST_CASE(a_grant_whose_client_is_gone_fails_and_says_so_once_until_it_is_back) {
    BOOST_REQUIRE_EQUAL(put_client(), 201U);
    const auto id = store_fields("shared", {{"client_auth", "post"}});
    connect(id);
    test::EventReader events(daemon.admin_socket());
    BOOST_REQUIRE(events.is_listening());
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/oauth/clients/oauth2").status, 204U);
    for (int i = 0; i < 3; ++i) BOOST_TEST(refresh(id).code == "invalid_request");
    const auto shown = show(id);
    BOOST_TEST(text(shown, "status") == "failing");
    const std::string why = "The organization's OAuth client that this grant was made with is no more.";
    BOOST_TEST(text(shown, "status_reason") == "no refresh can be asked for: " + why);
    BOOST_TEST(text(shown.at("oauth"), "last_failure") == "invalid_request");
    BOOST_TEST((details_of("oauth.refresh_failed") == std::vector{why}));
    const auto event = events.next();
    BOOST_REQUIRE(event.has_value());
    BOOST_TEST(event->type == "credential.status_changed");
    BOOST_TEST(text(boost::json::parse(event->data), "status") == "failing");
    BOOST_TEST(!token_of("shared").empty()); // what lives is leased on

    BOOST_REQUIRE_EQUAL(put_client(), 201U);
    BOOST_TEST(becomes(id, "active"));
    BOOST_TEST(show(id).at("status_reason").is_null());
}

BOOST_AUTO_TEST_SUITE_END()
