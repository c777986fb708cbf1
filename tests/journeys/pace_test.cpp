#define BOOST_TEST_DYN_LINK
#include "oauth_house.hpp"

#include <boost/json/parse.hpp>

#include <fstream>
#include <iterator>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;
using boost::json::object;

namespace {

/// A broker whose `oauth2` entry says more than the built-in one.
struct PacedHouse : OAuthHouse {
    explicit PacedHouse(const object& settings, const object& more) : OAuthHouse(settings) {
        std::ifstream file(JOURNEYS_FOLDER "/../../daemon/catalog/services/oauth2.json");
        const std::string text((std::istreambuf_iterator<char>(file)), {});
        auto entry = boost::json::parse(text);
        auto& oauth = entry.at("auth").at(0).at("oauth").as_object();
        for (const auto& [member, value] : more) oauth[member] = value;
        const auto folder = daemon.config_folder() / "services.d";
        std::filesystem::create_directories(folder);
        std::ofstream(folder / "oauth2.json") << boost::json::serialize(entry);
        BOOST_REQUIRE(daemon.stop().value_or(-1) == 0);
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    }
    /// Connects itself, as soon as it may.
    std::string stored(const std::string& name) { return store(name, {{"flow", "client_credentials"}}); }
    Answered refresh(const std::string& id) { return ask(client, "POST", "/v1/credentials/" + id + "/refresh", "{}"); }
    [[nodiscard]] bool waits_for(const std::function<bool()>& condition) const {
        for (int i = 0; i < 1500; ++i) {
            if (condition()) return true;
            std::this_thread::sleep_for(20ms);
        }
        return false;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(pace)

BOOST_AUTO_TEST_CASE(a_budget_that_is_used_up_holds_back_the_clients_other_credentials_also_after_a_restart) {
    PacedHouse house({}, {{"budget", object{{"requests", 2}, {"per", "10m"}}}});
    const auto first = house.stored("first");
    const auto second = house.stored("second");
    BOOST_TEST(house.becomes(first, "active"));
    BOOST_TEST(house.becomes(second, "active"));
    const auto third = house.stored("third");
    const auto expect_held_back = [&] {
        const auto refused = house.refresh(third);
        BOOST_TEST(refused.status == 429U);
        BOOST_TEST(refused.code == "rate_limited");
        BOOST_TEST(OAuthHouse::text(house.show(third), "status") == "pending");
        BOOST_TEST(house.provider.token_requests().size() == 2U);
    };
    expect_held_back();
    BOOST_REQUIRE(house.daemon.stop().value_or(-1) == 0);
    BOOST_REQUIRE(house.daemon.start());
    expect_held_back();
    const auto other = house.store("other", {{"flow", "client_credentials"}, {"client_id", "another"}});
    BOOST_TEST(house.refresh(other).code == "upstream_failed"); // a client that the provider does not know
}

BOOST_AUTO_TEST_CASE(no_more_requests_of_a_client_are_under_way_than_its_budget_allows) {
    PacedHouse house({{"budget", object{{"at_once", 1}}}},
                     {{"budget", object{{"requests", 1000}, {"per", "1m"}, {"at_once", 1}}}});
    house.provider.misbehave({{"do", "slow"}, {"before_ms", 100}, {"times", 0}});
    std::vector<std::string> ids;
    for (int i = 0; i < 6; ++i) ids.push_back(house.stored("c" + std::to_string(i)));
    for (const auto& id : ids) BOOST_TEST(house.becomes(id, "active"));
    BOOST_TEST(house.provider.token_requests().size() == ids.size()); // none was refused, and made again
}

BOOST_AUTO_TEST_CASE(a_retry_after_holds_back_the_clients_other_credentials_and_who_waits_is_told) {
    PacedHouse house({{"lifetimes", object{{"access", 4}}}},
                     {{"budget", object{{"requests", 1000}, {"per", "1m"}, {"at_once", 1}}}});
    const auto first = house.connected("first", {{"refresh_class", "static"}});
    const auto second = house.connected("second", {{"refresh_class", "static"}});
    house.provider.misbehave({{"do", "rate_limit"}, {"retry_after", 120}, {"nth", 1}, {"times", 0}});
    BOOST_REQUIRE(house.waits_for(
        [&] { return house.show(first).at("status") == "failing" || house.show(second).at("status") == "failing"; }));
    const auto asked = house.provider.token_requests().size();
    Answered refused;
    const auto is_refused = [&] {
        for (const auto* name : {"first", "second"}) {
            refused = ask(house.client, "POST", "/v1/leases", R"({"credential":")" + std::string(name) + R"("})",
                          Client::Door::lease);
            if (refused.status == 201U) return false;
        }
        return true;
    };
    BOOST_TEST(house.waits_for(is_refused)); // both tokens have ended
    BOOST_TEST(refused.status == 429U);
    BOOST_TEST(refused.code == "rate_limited");
    BOOST_TEST(house.provider.token_requests().size() == asked);
}

BOOST_AUTO_TEST_CASE(a_retry_after_holds_back_nobody_who_is_in_another_workspace) {
    PacedHouse house({{"refresh_class", "static"}}, {});
    const auto ours = house.connected("ours");
    BOOST_REQUIRE(ask(house.client, "PUT", "/v1/workspaces/other", "{}").status < 300U);
    house.provider.misbehave({{"do", "rate_limit"}, {"retry_after", 120}, {"nth", 1}, {"times", 1}});
    const object fields = {{"token_url", house.provider.origin() + "/token"},
                           {"flow", "client_credentials"},
                           {"client_id", "client"},
                           {"client_secret", "client-secret"}};
    const object theirs = {{"service", "oauth2"},
                           {"name", "theirs"},
                           {"fields", fields},
                           {"scope", object{{"kind", "workspace"}, {"workspace", "other"}}}};
    const auto stored = ask(house.client, "POST", "/v1/credentials", boost::json::serialize(theirs));
    BOOST_REQUIRE_EQUAL(stored.status, 201U);
    const auto held = OAuthHouse::text(stored.json, "id");
    BOOST_TEST(house.waits_for([&] { return house.refresh(held).code == "rate_limited"; }));
    BOOST_TEST(house.refresh(ours).status == 200U);
}

BOOST_AUTO_TEST_CASE(an_idle_refresh_token_is_used_before_it_dies_though_nobody_leases) {
    PacedHouse house({{"refresh_class", "single_use"},
                      {"lifetimes", object{{"access", 3600}, {"refresh", 12}}},
                      {"answer", object{{"expires_in", "absent"}}}},
                     {{"clocks", object{{"refresh_idle", "12s"}, {"grace", "10m"}}}});
    const auto id = house.connected("idle");
    const auto connected = house.provider.token_requests().size();
    BOOST_TEST(house.provider.wait_for_token_requests(connected + 1, 60s));
    BOOST_TEST(house.waits_for([&] { return !audit_of(house.client, "action=oauth.refreshed").empty(); }));
    BOOST_TEST(OAuthHouse::text(house.show(id), "status") == "active");
    BOOST_TEST(house.provider.uses_of_spent_tokens().empty());
}

BOOST_AUTO_TEST_CASE(a_token_whose_end_the_provider_does_not_say_is_refreshed_by_the_entrys_clock) {
    PacedHouse house({{"refresh_class", "single_use"}, {"answer", object{{"expires_in", "absent"}}}},
                     {{"clocks", object{{"access", "6s"}, {"grace", "10m"}}}});
    house.connected("silent");
    const auto token = house.token_of("silent");
    const auto connected = house.provider.token_requests().size();
    BOOST_TEST(house.provider.wait_for_token_requests(connected + 1, 60s));
    BOOST_TEST(house.waits_for([&] { return house.token_of("silent") != token; }));
}

BOOST_AUTO_TEST_SUITE_END()
