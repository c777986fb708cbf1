#define BOOST_TEST_DYN_LINK
#include "refresh_house.hpp"
#include "support/event_reader.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <thread>
#include <vector>

using namespace credlease;
using namespace credlease::tests;
using boost::json::object;

namespace {

/// "lease.ended expired", "credential.status_changed expired", "credential.refreshed"; empty: nothing comes.
std::string next_told(test::EventReader& reader) {
    const auto event = reader.next();
    if (!event) return {};
    const auto data = boost::json::parse(event->data).as_object();
    for (const auto* member : {"reason", "status"}) {
        const auto* value = data.if_contains(member);
        if (value != nullptr && value->is_string()) return event->type + ' ' + std::string(value->as_string());
    }
    return event->type;
}

/// What is told until that comes, with it.
std::vector<std::string> told_until(test::EventReader& reader, const std::string& last) {
    std::vector<std::string> told;
    do {
        told.push_back(next_told(reader));
    } while (!told.back().empty() && told.back() != last);
    return told;
}

std::string leased(Client& client, const std::string& name) {
    const auto body = R"({"credential":")" + name + R"(","bind":"none"})";
    return std::string(ask(client, "POST", "/v1/leases", body, Client::Door::lease).json.at("lease").as_string());
}

/// What a holder and an engine hear, from now on.
struct Listeners {
    test::EventReader holder, engine;

    explicit Listeners(const Daemon& daemon) : holder(daemon.lease_socket()), engine(daemon.admin_socket()) {
        BOOST_REQUIRE((holder.is_listening() && engine.is_listening()));
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(definitive_refusals)

BOOST_AUTO_TEST_CASE(a_dead_grant_is_told_to_its_holders_and_not_asked_for_again) {
    RefreshHouse house(3600);
    const auto one = house.connect("dead", "single_use");
    auto lease = house.client.lease({.credential = one.name});
    BOOST_REQUIRE(lease.ok());
    (void)leased(house.client, one.name);
    house.provider.control("/revoke", {{"provider", "/single_use"}});
    Listeners listeners(house.daemon);
    const auto refused = house.refresh(one);
    BOOST_TEST(refused.status == 409U);
    BOOST_TEST(refused.code == "credential_expired");
    BOOST_TEST(house.status(one) == "expired");
    const auto ended = audit_of(house.client, "action=lease.ended");
    BOOST_REQUIRE(!ended.empty());
    BOOST_TEST(next_told(listeners.holder) == "lease.ended expired");
    BOOST_TEST(told_until(listeners.engine, "credential.status_changed expired").back() != "");
    BOOST_TEST(!lease->renew().ok());
    BOOST_TEST(house.token_of(one).empty());
    const auto asked = house.provider.token_requests().size();
    BOOST_TEST(house.refresh(one).code == "credential_expired");
    BOOST_TEST(house.provider.token_requests().size() == asked);
    BOOST_TEST(!audit_of(house.client, "action=oauth.refresh_failed").empty());
}

BOOST_AUTO_TEST_CASE(what_says_nothing_of_the_grant_never_ends_it) {
    RefreshHouse house(3600);
    const auto one = house.connect("alive", "rotating");
    const object html = {
        {"do", "status"}, {"status", 400}, {"content_type", "text/html"}, {"body", "<p>invalid_grant"}};
    for (const auto& rule :
         {object{{"do", "status"}, {"status", 500}}, object{{"do", "status"}, {"status", 503}},
          object{{"do", "status"}, {"status", 404}}, html, object{{"do", "rate_limit"}, {"retry_after", 1}},
          object{{"do", "alter"}, {"content_type", "text/html"}}, object{{"do", "alter"}, {"pad", 3000000}},
          object{{"do", "drop_before"}, {"reset", true}}, object{{"do", "drop_after"}},
          object{{"do", "drop_in_middle"}}, object{{"do", "refuse_connection"}},
          object{{"do", "error"}, {"error", "temporarily_unavailable"}, {"status", 503}},
          object{{"do", "error"}, {"error", "invalid_client"}, {"status", 401}}}) {
        BOOST_TEST_CONTEXT(boost::json::serialize(rule)) {
            house.misbehave("rotating", rule);
            const auto refused = house.refresh(one);
            BOOST_TEST((refused.status == 200U || refused.code == "upstream_failed"));
            BOOST_TEST(house.status(one) != "expired");
            BOOST_TEST(!house.token_of(one).empty());
            house.provider.control("/clear", {{"provider", "/rotating"}});
            BOOST_TEST(house.refresh(one).status == 200U);
            BOOST_TEST(house.status(one) == "active");
        }
    }
}

BOOST_AUTO_TEST_CASE(a_refusal_of_tokens_that_it_has_no_more_changes_nothing) {
    RefreshHouse house(3600);
    auto one = house.connect("anew", "single_use");
    house.misbehave("single_use", {{"do", "error"}, {"error", "invalid_grant"}, {"before_ms", 1500}});
    std::jthread asks([&] {
        auto client = client_of(house.daemon);
        (void)house.refresh(client, one);
    });
    BOOST_REQUIRE(house.wait_for_a_held_request());
    auto renewed = one;
    house.authorize(renewed);
    const auto lease = leased(house.client, renewed.name);
    Listeners listeners(house.daemon);
    const auto token = house.token_of(renewed);
    BOOST_TEST(!token.empty());
    asks.join();
    BOOST_TEST(house.status(renewed) == "active");
    BOOST_TEST(house.token_of(renewed) == token);
    BOOST_TEST(house.refresh(renewed).status == 200U);
    BOOST_TEST(next_told(listeners.holder) == "credential.refreshed"); // nothing before it
    BOOST_TEST(ask(house.client, "PATCH", "/v1/credentials/" + renewed.id, R"({"notes":"x"})").status == 200U);
    for (const auto& told : told_until(listeners.engine, "credential.updated")) {
        BOOST_TEST(!told.contains("expired"));
    }
    BOOST_TEST(ask(house.client, "POST", "/v1/leases/" + lease + "/renew", "{}", Client::Door::lease).status == 200U);
}

BOOST_AUTO_TEST_SUITE_END()
