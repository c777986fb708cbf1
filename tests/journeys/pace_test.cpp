#define BOOST_TEST_DYN_LINK
#include "oauth_house.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/json/parse.hpp>

#include <fstream>
#include <iterator>
#include <vector>

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
    /// Stores an `oauth2` credential of that workspace; returns its id.
    std::string store_in(const std::string& workspace, const std::string& name, const object& fields) {
        BOOST_REQUIRE(ask(client, "PUT", "/v1/workspaces/" + workspace, "{}").status < 300U);
        const object body = {{"service", "oauth2"},
                             {"name", name},
                             {"scope", object{{"kind", "workspace"}, {"workspace", workspace}}},
                             {"fields", fields}};
        const auto stored = ask(client, "POST", "/v1/credentials", boost::json::serialize(body));
        BOOST_REQUIRE_EQUAL(stored.status, 201U);
        return text(stored.json, "id");
    }
    [[nodiscard]] bool waits_for(const std::function<bool()>& condition) const {
        for (int i = 0; i < 1500; ++i) {
            if (condition()) return true;
            std::this_thread::sleep_for(20ms);
        }
        return false;
    }
};

/// Takes connections, and never says a word.
class SilentServer {
  public:
    SilentServer() { acceptor_.non_blocking(true); }
    [[nodiscard]] std::string origin() const {
        return "https://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
    }
    /// Connections since it is there.
    [[nodiscard]] std::size_t connections() {
        for (;;) {
            boost::system::error_code failed;
            auto taken = acceptor_.accept(failed);
            if (failed) return taken_.size();
            taken_.push_back(std::move(taken));
        }
    }

  private:
    boost::asio::io_context context_;
    boost::asio::ip::tcp::acceptor acceptor_{context_, {boost::asio::ip::address_v4::loopback(), 0}};
    std::vector<boost::asio::ip::tcp::socket> taken_;
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
    house.provider.misbehave({{"do", "rate_limit"}, {"retry_after", 120}, {"nth", 1}, {"times", 1}});
    const auto held = house.store_in("other", "theirs",
                                     {{"token_url", house.provider.origin() + "/token"},
                                      {"flow", "client_credentials"},
                                      {"client_id", "client"},
                                      {"client_secret", "client-secret"}});
    BOOST_TEST(house.waits_for([&] { return house.refresh(held).code == "rate_limited"; }));
    BOOST_TEST(house.refresh(ours).status == 200U);
}

BOOST_AUTO_TEST_CASE(a_workspace_whose_provider_hangs_holds_up_no_other_and_what_waits_does_not_fail) {
    PacedHouse house({}, {});
    SilentServer silent;
    const auto ours = house.connected("ours");
    constexpr std::size_t many = 60; // more than the room holds
    std::string last;
    for (std::size_t i = 0; i < many; ++i) { // each a client of its own, in the scope that `ours` is not in
        const object fields = {{"token_url", silent.origin() + "/token"},
                               {"flow", "client_credentials"},
                               {"client_id", "client" + std::to_string(i)},
                               {"client_secret", "client-secret"}};
        last = house.store_in("other", "silent" + std::to_string(i), fields);
    }
    BOOST_TEST(house.waits_for([&] { return silent.connections() >= 5; }));
    for (int i = 0; i < 5; ++i) BOOST_TEST(house.refresh(ours).status == 200U);
    BOOST_TEST(silent.connections() < many / 2);
    BOOST_TEST(OAuthHouse::text(house.show(last), "status") == "pending");
}

BOOST_AUTO_TEST_CASE(of_single_use_the_old_token_is_tried_once_more_also_where_no_end_of_its_token_is_known) {
    PacedHouse house({{"refresh_class", "single_use"}}, {});
    house.provider.misbehave({{"do", "alter"}, {"expires_in", "absent"}, {"times", 0}});
    const auto id = house.connected("endless");
    house.provider.control("/clear");
    const auto connected = house.provider.token_requests().size();
    house.provider.misbehave({{"do", "drop_after"}, {"nth", 1}, {"times", 0}});
    for (int i = 0; i < 4; ++i) BOOST_TEST(house.refresh(id).code == "upstream_failed");
    BOOST_TEST(boost::json::serialize(house.show(id)).contains("another try"));
    BOOST_TEST(house.provider.token_requests().size() == connected + 2);
}

BOOST_AUTO_TEST_CASE(of_single_use_the_old_token_is_tried_once_more_however_many_lease) {
    PacedHouse house({{"refresh_class", "single_use"}, {"lifetimes", object{{"access", 5}}}}, {});
    const auto id = house.connected("lost");
    const auto connected = house.provider.token_requests().size();
    house.provider.misbehave({{"do", "drop_after"}, {"nth", 1}, {"times", 0}});
    const auto says = [&](const char* what) { return boost::json::serialize(house.show(id)).contains(what); };
    BOOST_TEST(house.waits_for([&] { return says("another try"); }));
    BOOST_TEST(house.provider.token_requests().size() == connected + 2);
    for (int i = 0; i < 5; ++i) BOOST_TEST(house.token_of("lost").empty());
    BOOST_TEST(house.refresh(id).code == "upstream_failed");
    BOOST_TEST(OAuthHouse::text(house.show(id), "status") == "failing");
    BOOST_TEST(house.provider.token_requests().size() == connected + 2);
    house.provider.control("/clear");
    BOOST_REQUIRE(house.daemon.stop().value_or(-1) == 0);
    BOOST_REQUIRE(house.daemon.start()); // which knows it
    BOOST_TEST(house.refresh(id).code == "upstream_failed");
    BOOST_TEST(house.token_of("lost").empty());
    BOOST_TEST(says("another try"));
    BOOST_TEST(house.provider.token_requests().size() == connected + 2);
}

BOOST_AUTO_TEST_CASE(what_is_in_doubt_within_its_grace_is_saved_however_often_the_provider_failed_before) {
    PacedHouse house({{"refresh_class", "single_use_grace"}}, {{"clocks", object{{"grace", "12s"}}}});
    const auto id = house.connected("graced", {{"refresh_class", "single_use_grace"}});
    house.provider.misbehave({{"do", "status"}, {"status", 503}, {"nth", 1}, {"times", 5}});
    for (int i = 0; i < 5; ++i) BOOST_TEST(house.refresh(id).code == "upstream_failed"); // the back-off is long now
    house.provider.control("/clear");
    house.provider.misbehave({{"do", "drop_after"}, {"nth", 1}, {"times", 1}});
    BOOST_TEST(house.refresh(id).code == "upstream_failed");
    BOOST_TEST(house.waits_for([&] { return house.show(id).at("status") == "active"; })); // by the back-off 160 s
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
