#define BOOST_TEST_DYN_LINK
#include "oauth_house.hpp"
#include "support/socket_client.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <thread>

using namespace credlease;
using namespace credlease::tests;
using boost::json::object;

namespace {

constexpr auto second_secret = "second-secret-4f1c";
constexpr std::chrono::seconds after_a_back_off{60}; ///< of some seconds

/// A grant with a client of its own.
struct Edited : OAuthHouse {
    std::string id = connected("edited");

    void edit(const object& fields) {
        const auto body = boost::json::serialize(object{{"fields", fields}});
        const auto edited = ask(client, "PATCH", "/v1/credentials/" + id, body);
        BOOST_REQUIRE_MESSAGE(edited.status == 200U, boost::json::serialize(edited.json));
    }
    unsigned refresh() { return ask(client, "POST", "/v1/credentials/" + id + "/refresh").status; }
    void change_secret_at_the_provider() { provider.control("/client", {{"id", "client"}, {"secret", second_secret}}); }
    /// It is still the grant that was made first.
    void expect_its_first_grant() {
        const auto grants = provider.control("/grants").at("grants").as_array();
        BOOST_TEST(grants.size() == 1U);
        BOOST_TEST(audit_of(client, "action=oauth.connected").size() == 1U);
        BOOST_TEST(provider.uses_of_spent_tokens().empty());
    }
};

constexpr auto with_engine = "[access]\noperators = [\"root\"]\n[[engine]]\nname = \"flows\"\nuid = 0\n"
                             "workspaces = [\"*\"]\nmax_role = \"admin\"\n";

/// Users behind an engine, and the organization's client.
struct Organization : OAuthHouse {
    Organization() : OAuthHouse({}, with_engine) {
        member("alice", "admin");
        member("bob", "editor");
        const object app = {{"client_id", "client"}, {"client_secret", "client-secret"}, {"fields", places()}};
        const auto put = ask(client, "PUT", "/v1/oauth/clients/oauth2", boost::json::serialize(app));
        BOOST_REQUIRE_EQUAL(put.status, 201U);
    }
    void member(const std::string& user, const std::string& role) {
        const auto path = "/v1/workspaces/organization/members/user:flows%2F" + user;
        BOOST_REQUIRE(ask(client, "PUT", path, R"({"role":")" + role + "\"}").status < 300U);
    }
    [[nodiscard]] object places() const {
        return {{"token_url", provider.origin() + "/token"}, {"authorize_url", provider.origin() + "/authorize"}};
    }
    [[nodiscard]] test::Response as(const std::string& user, const std::string& path, const object& body) const {
        test::SocketClient engine(daemon.admin_socket());
        const auto actor = "Credlease-Actor: user:flows/" + user + "\r\n";
        auto answer = engine.ask("POST", path, boost::json::serialize(body), actor);
        BOOST_REQUIRE(answer.has_value());
        return std::move(*answer);
    }
    [[nodiscard]] std::string stored_by(const std::string& user, const object& more) const {
        object fields = places();
        fields["client_auth"] = "post";
        for (const auto& [field, value] : more) fields[field] = value;
        const object body = {
            {"service", "oauth2"}, {"name", "of " + user + std::to_string(more.size())}, {"fields", fields}};
        const auto stored = as(user, "/v1/credentials", body);
        BOOST_REQUIRE_MESSAGE(stored.status == 201U, stored.body);
        return text(boost::json::parse(stored.body), "id");
    }
    [[nodiscard]] test::Response give(const std::string& user, const std::string& id) const {
        const auto grant = provider.control("/grant").at("grants").at(0).at("answer");
        return as(user, "/v1/oauth/authorizations", {{"credential", id}, {"refresh_token", grant.at("refresh_token")}});
    }
};

} // namespace

/// How the client of a grant authenticates may change: no person consents again, and nothing goes to another place.
BOOST_AUTO_TEST_SUITE(oauth_edits)

BOOST_FIXTURE_TEST_CASE(the_next_refresh_authenticates_as_an_edit_says_and_one_that_fails_is_mended_by_an_edit,
                        Edited) {
    edit({{"client_auth", "basic"}}); // which this provider does not take
    BOOST_TEST(refresh() == 502U);
    BOOST_TEST(text(show(id), "status") == "failing");
    edit({{"client_auth", "post"}});
    BOOST_TEST(becomes(id, "active")); // by itself
    expect_its_first_grant();
}

BOOST_FIXTURE_TEST_CASE(what_is_said_of_another_client_counts_from_its_consent_on, Edited) {
    edit({{"client_id", "another"}, {"client_auth", "basic"}});
    BOOST_TEST(refresh() == 200U);
    BOOST_TEST(provider.token_requests().back().at("client").as_string() == "client");
    edit({{"client_id", "client"}});
    BOOST_TEST(refresh() == 502U);
}

BOOST_FIXTURE_TEST_CASE(a_new_client_secret_is_used_by_the_next_refresh_and_ends_no_lease, Edited) {
    auto lease = client.lease({.credential = "edited"});
    BOOST_REQUIRE(lease.ok());
    change_secret_at_the_provider();
    BOOST_TEST(refresh() == 502U);
    BOOST_TEST(text(show(id), "status") == "failing");
    edit({{"client_secret", second_secret}});
    BOOST_TEST(becomes(id, "active"));
    BOOST_TEST(refresh() == 200U);
    expect_its_first_grant();
    BOOST_TEST(ask(client, "GET", "/v1/leases?credential=" + id).json.at("items").as_array().size() == 1U);
    const auto edits = audit_of(client, "action=credential.edited");
    BOOST_REQUIRE_EQUAL(edits.size(), 1U);
    const auto& changes = edits.front().at("changes").as_array();
    BOOST_REQUIRE_EQUAL(changes.size(), 1U);
    BOOST_TEST(text(changes.front(), "member") == "fields.client_secret");
    BOOST_TEST(!boost::json::serialize(edits.front()).contains(second_secret));
}

BOOST_FIXTURE_TEST_CASE(a_refusal_of_the_secret_before_the_edit_is_tried_again_soon, Edited) {
    change_secret_at_the_provider();
    provider.misbehave({{"do", "slow"}, {"after_ms", 1500}});
    std::jthread asks([&] {
        auto other = client_of(daemon);
        (void)ask(other, "POST", "/v1/credentials/" + id + "/refresh");
    });
    BOOST_REQUIRE(provider.wait_for_token_requests(2));
    edit({{"client_secret", second_secret}});
    asks.join();
    BOOST_TEST(provider.token_requests().size() == 2U); // by the old one
    BOOST_TEST(
        comes_true([&] { return text(show(id), "status") == "active" && provider.token_requests().size() == 3U; },
                   after_a_back_off));
    expect_its_first_grant();
}

BOOST_FIXTURE_TEST_CASE(by_the_organizations_client_only_who_keeps_it_makes_a_refresh_token_good, Organization) {
    const auto id = stored_by("bob", {});
    const auto refused = give("bob", id);
    BOOST_TEST(refused.status == 403U);
    BOOST_TEST(refused.body.contains("forbidden"));
    BOOST_TEST(provider.token_requests().empty());
    BOOST_TEST(as("bob", "/v1/oauth/authorizations", {{"credential", id}}).status == 201U); // a person consents
    BOOST_TEST(give("alice", stored_by("alice", {})).status == 200U);
    const object own = {{"client_id", "client"}, {"client_secret", "client-secret"}};
    BOOST_TEST(give("bob", stored_by("bob", own)).status == 200U);
}

BOOST_AUTO_TEST_CASE(a_field_that_makes_a_wrong_url_is_named_before_anything_is_stored) {
    OAuthHouse house;
    const auto field_refused = [&](const object& fields) {
        const object body = {{"service", "oauth2"}, {"name", "named"}, {"fields", fields}};
        return house.refusal_of("POST", "/v1/credentials", body).field;
    };
    constexpr auto wrong = "http://provider.example/token"; // no https
    BOOST_TEST(field_refused({{"client_id", "client"}, {"token_url", wrong}}) == "fields.token_url");
    BOOST_TEST(field_refused({{"client_id", "client"}, {"issuer", wrong}}) == "fields.issuer");
    BOOST_TEST(field_refused({{"client_id", "client"}}) == "fields.token_url");
    const auto list = ask(house.client, "GET", "/v1/credentials");
    BOOST_TEST(list.json.at("items").as_array().empty());
    BOOST_TEST(field_refused(object()) == ""); // the organization's client may say where

    const auto id = house.connected("edited");
    const object fields = {{"token_url", wrong}, {"client_secret", second_secret}};
    BOOST_TEST(house.refusal_of("PATCH", "/v1/credentials/" + id, {{"fields", fields}}).field == "fields.token_url");
    BOOST_TEST(OAuthHouse::text(house.show(id), "status") == "active");
}

BOOST_AUTO_TEST_CASE(a_url_that_a_code_or_a_revocation_needs_is_named_where_it_is_not_set) {
    OAuthHouse house;
    const auto id = house.store_fields("bare", {{"token_url", house.provider.origin() + "/token"},
                                                {"client_id", "client"},
                                                {"client_secret", "client-secret"},
                                                {"client_auth", "post"}});
    const object by_device = {{"credential", id}, {"flow", "device"}};
    BOOST_TEST(house.refusal_of("POST", "/v1/oauth/authorizations", by_device).field == "fields.device_url");
    BOOST_TEST(audit_of(house.client, "action=oauth.started").empty());
    house.connect(id);
    const auto refused = house.refusal_of("POST", "/v1/credentials/" + id + "/revoke", {{"upstream", true}});
    BOOST_TEST(refused.field == "upstream");
    BOOST_TEST(refused.sentence.contains("is not set (revoke_url)."), refused.sentence);
    BOOST_TEST(OAuthHouse::text(house.show(id), "status") == "active");
}

BOOST_AUTO_TEST_SUITE_END()
