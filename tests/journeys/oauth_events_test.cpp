#define BOOST_TEST_DYN_LINK
#include "oauth_house.hpp"
#include "support/event_reader.hpp"

#include <boost/json/parse.hpp>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;
using boost::json::object;
using test::EventReader;

namespace {

std::string member(const EventReader::Event& event, std::string_view name) {
    const auto data = boost::json::parse(event.data).as_object();
    const auto* value = data.if_contains(name);
    if (value == nullptr) return {};
    return value->is_string() ? std::string(value->as_string()) : boost::json::serialize(*value);
}

/// What somebody hears who comes back to a broker that was killed, of one credential.
struct EventHouse : OAuthHouse {
    [[nodiscard]] static std::string after(const EventReader& reader) {
        return "Last-Event-ID: " + reader.last_id() + "\r\n";
    }
    [[nodiscard]] EventReader listen(Client::Door door, const std::string& headers = {}) const {
        EventReader reader(door == Client::Door::lease ? daemon.lease_socket() : daemon.admin_socket(), headers);
        BOOST_REQUIRE(reader.is_listening());
        return reader;
    }
    void kill_and_start() {
        daemon.kill9();
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    }
    /// What came before may come again: it is passed over.
    [[nodiscard]] static EventReader::Event wait_for(EventReader& reader, std::string_view type,
                                                     std::string_view status = {}) {
        auto event = reader.next();
        while (event && (event->type != type || member(*event, "status") != status)) event = reader.next();
        BOOST_REQUIRE_MESSAGE(event.has_value(), std::string(type) + " " + std::string(status));
        return std::move(*event);
    }
    [[nodiscard]] unsigned change(const std::string& id, const std::string& how, const std::string& body = "{}") {
        return ask(client, "POST", "/v1/credentials/" + id + "/" + how, body).status;
    }
};

constexpr auto changed = "credential.status_changed";

} // namespace

/// Events of grants, over a restart: from the log alone.
BOOST_FIXTURE_TEST_SUITE(oauth_events, EventHouse)

BOOST_AUTO_TEST_CASE(a_reauthorization_is_told_to_who_held_the_credential_over_a_kill) {
    const auto id = connected("kept");
    const auto leased =
        ask(client, "POST", "/v1/leases", R"({"credential":"kept","bind":"none"})", Client::Door::lease);
    BOOST_REQUIRE_EQUAL(leased.status, 201U);
    auto holder = listen(Client::Door::lease);
    auto viewer = listen(Client::Door::admin);
    holder.close();
    viewer.close();
    connect(id);
    kill_and_start();
    auto holder_again = listen(Client::Door::lease, after(holder));
    const auto rotated = wait_for(holder_again, "credential.rotated");
    BOOST_TEST(member(rotated, "credential") == id);
    BOOST_TEST(member(rotated, "version") == "3");
    auto viewer_again = listen(Client::Door::admin, after(viewer));
    BOOST_TEST(member(wait_for(viewer_again, "credential.updated"), "version") == "3");
}

BOOST_AUTO_TEST_CASE(what_refreshes_made_of_a_grant_is_told_over_a_kill) {
    const auto id = connected("failing", {{"refresh_class", "static"}});
    auto viewer = listen(Client::Door::admin);
    viewer.close();
    provider.misbehave({{"do", "status"}, {"status", 503}});
    BOOST_TEST(change(id, "refresh") == 502U);
    BOOST_TEST(change(id, "refresh") == 200U);
    provider.misbehave({{"do", "error"}, {"error", "invalid_grant"}});
    BOOST_TEST(change(id, "refresh") == 409U);
    kill_and_start();
    auto again = listen(Client::Door::admin, after(viewer));
    for (const auto* status : {"failing", "active", "expired"}) {
        BOOST_TEST(member(wait_for(again, changed, status), "credential") == id);
    }
}

BOOST_AUTO_TEST_CASE(a_credential_that_waits_for_its_authorization_is_told_so_over_a_kill) {
    const auto id = connected("moved");
    auto viewer = listen(Client::Door::admin);
    auto there = listen(Client::Door::admin);
    viewer.close();
    const object fields = {{"token_url", provider.origin() + "/elsewhere/token"}, {"client_secret", "client-secret"}};
    const auto body = boost::json::serialize(object{{"fields", fields}});
    BOOST_REQUIRE_EQUAL(ask(client, "PATCH", "/v1/credentials/" + id, body).status, 200U);
    BOOST_TEST(member(wait_for(there, changed, "pending"), "credential") == id);
    BOOST_TEST(change(id, "revoke") == 200U);
    BOOST_TEST(change(id, "restore") == 200U);
    kill_and_start();
    auto again = listen(Client::Door::admin, after(viewer));
    for (const auto* status : {"pending", "revoked", "pending"}) {
        BOOST_TEST(member(wait_for(again, changed, status), "credential") == id);
    }
}

BOOST_AUTO_TEST_SUITE_END()
