#define BOOST_TEST_MODULE oidc_journeys
#define BOOST_TEST_DYN_LINK
#include "oidc_house.hpp"
#include "support/event_reader.hpp"

#include <boost/json/parse.hpp>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;
using boost::json::object;
using test::EventReader;

namespace {

constexpr auto patience = 60s; ///< on a machine that has much else to do

std::string text(const boost::json::value& object, std::string_view member) { return OidcHouse::text(object, member); }

/// How an authorization that is polled for ends, and why it failed.
Answered end_of(OidcHouse& house, const Answered& begun) {
    const auto path = "/v1/oauth/authorizations/" + text(begun.json, "id");
    Answered shown;
    BOOST_TEST(OidcHouse::comes_true(
        [&] {
            shown = ask(house.client, "GET", path);
            return text(shown.json, "state") != "pending";
        },
        patience));
    return shown;
}

} // namespace

BOOST_AUTO_TEST_SUITE(oidc)

BOOST_AUTO_TEST_CASE(a_person_signs_in_and_consents_and_pastes_the_address) {
    for (const std::string client : {"web", "native"}) { // with a secret, and public
        OidcHouse house;
        const auto id = house.store("mine", client);
        const auto begun = house.begin(id);
        const auto page = browse(text(begun.json, "authorize_url"));
        BOOST_TEST(page.steps == (std::vector<std::string>{"sign in", "consent"}), boost::test_tools::per_element());
        BOOST_TEST(page.url.starts_with(house.redirect_uri() + "?code="), page.url);
        const auto done = house.complete(begun, page.url);
        BOOST_REQUIRE_MESSAGE(text(done.json, "state") == "connected", boost::json::serialize(done.json));
        BOOST_TEST(text(house.show(id), "status") == "active");
        const auto token = house.token_of("mine");
        BOOST_TEST(!token.empty());
        BOOST_TEST(house.server.accepts(token));
    }
}

BOOST_AUTO_TEST_CASE(a_person_who_says_no_connects_nothing) {
    OidcHouse house;
    const auto id = house.store("mine", "web");
    const auto begun = house.begin(id);
    const auto page = browse(text(begun.json, "authorize_url"), {.says_no = true});
    const auto done = house.complete(begun, page.url);
    BOOST_TEST(text(done.json, "state") == "failed");
    BOOST_TEST(text(done.json, "error").contains("End-User aborted interaction"), text(done.json, "error"));
    BOOST_TEST(text(house.show(id), "status") == "pending");
}

BOOST_AUTO_TEST_CASE(a_device_is_connected_by_a_code_that_a_person_types_in_a_browser) {
    OidcHouse house;
    const auto id = house.store("far", "native");
    const auto refused = house.authorize({{"credential", id}, {"flow", "device"}});
    BOOST_REQUIRE_MESSAGE(refused.status == 201U, boost::json::serialize(refused.json));
    const auto no =
        browse(text(refused.json, "verification_uri"), {.user_code = text(refused.json, "user_code"), .says_no = true});
    BOOST_TEST(std::ranges::count(no.steps, "refuse") == 1);
    const auto failed = end_of(house, refused);
    BOOST_TEST(text(failed.json, "state") == "failed");
    BOOST_TEST(text(failed.json, "error").contains("said no"), text(failed.json, "error"));
    BOOST_TEST(text(house.show(id), "status") == "pending");

    const auto begun = house.authorize({{"credential", id}, {"flow", "device"}});
    BOOST_REQUIRE_EQUAL(begun.status, 201U);
    const auto page = browse(text(begun.json, "verification_uri"), {.user_code = text(begun.json, "user_code")});
    BOOST_TEST(std::ranges::count(page.steps, "type the code") == 1);
    BOOST_TEST(text(end_of(house, begun).json, "state") == "connected");
    BOOST_TEST(house.server.accepts(house.token_of("far")));
}

BOOST_AUTO_TEST_CASE(a_service_of_its_own_is_connected_by_itself) {
    OidcHouse house;
    const auto id = house.store("own", "service");
    BOOST_TEST(house.becomes(id, "active"), boost::json::serialize(house.show(id)));
    BOOST_TEST(house.server.accepts(house.token_of("own")));
}

BOOST_AUTO_TEST_CASE(each_refresh_token_is_spent_once_also_over_a_kill) {
    OidcHouse house(2s);
    const auto id = house.store("turning", "web");
    house.connect(id);
    const auto comes_to = [&](int generation) {
        BOOST_TEST(OidcHouse::comes_true([&] { return house.generation(id) >= generation; }, patience),
                   boost::json::serialize(house.show(id)));
    };
    comes_to(6);
    house.kill_between_refreshes({id});
    BOOST_REQUIRE(house.daemon.start());
    comes_to(12);
    BOOST_TEST(text(house.show(id), "status") == "active");
    BOOST_TEST(house.server.reuses() == 0U);
    BOOST_TEST(house.server.events("refresh_token.consumed").size() >= 12U);
    BOOST_TEST(house.server.events("grant.error").empty());
}

BOOST_AUTO_TEST_CASE(a_revoke_upstream_kills_the_tokens_at_the_server) {
    OidcHouse house;
    const auto id = house.store("leaked", "web");
    house.connect(id);
    const auto token = house.token_of("leaked");
    BOOST_TEST(house.server.accepts(token));
    const auto path = "/v1/credentials/" + id + "/revoke";
    const auto revoked = ask(house.client, "POST", path, R"({"upstream":true})");
    BOOST_REQUIRE_MESSAGE(revoked.status == 200U, boost::json::serialize(revoked.json));
    BOOST_TEST(text(revoked.json, "status") == "revoked");
    const auto& tokens = revoked.json.at("upstream").as_array();
    BOOST_TEST(tokens.size() == 2U);
    for (const auto& each : tokens) BOOST_TEST(each.at("ok").as_bool(), boost::json::serialize(each));
    BOOST_TEST(!house.server.accepts(token));
    BOOST_TEST(house.server.events("grant.revoked").size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_consent_that_is_withdrawn_is_told_and_given_anew_to_the_same_credential) {
    OidcHouse house(5s);
    const auto id = house.store("shared", "web");
    house.connect(id);
    EventReader reader(house.daemon.lease_socket());
    BOOST_REQUIRE(reader.is_listening());
    auto lease = house.client.lease({.credential = "shared", .bound_to_process = false});
    BOOST_REQUIRE_MESSAGE(lease.ok(), house.daemon.log());
    house.server.withdraw(secret_of(*lease, "access_token"));

    BOOST_TEST(OidcHouse::comes_true([&] { return text(house.show(id), "status") == "expired"; }, patience));
    BOOST_TEST(text(house.show(id), "status_reason").contains("invalid_grant"));
    const auto told = [&] {
        const auto event = reader.next();
        return !event ||
               (event->type == "lease.ended" && text(boost::json::parse(event->data), "lease") == lease->id());
    };
    BOOST_TEST(OidcHouse::comes_true(told));
    BOOST_TEST(lease->renew().error().code == "lease_ended");
    BOOST_TEST(house.client.lease({.credential = "shared"}).error().code == "credential_expired");
    const auto asked = ask(house.client, "POST", "/v1/credentials/" + id + "/refresh", "{}");
    BOOST_TEST(asked.code == "credential_expired");
    BOOST_TEST(house.server.events("grant.error").size() == 1U); // the one that told of it

    const auto version = house.show(id).at("version").to_number<int>();
    house.connect(id);
    BOOST_TEST(text(house.show(id), "status") == "active");
    BOOST_TEST(house.show(id).at("version").to_number<int>() == version + 1);
    BOOST_TEST(house.server.accepts(house.token_of("shared")));
}

BOOST_AUTO_TEST_SUITE_END()
