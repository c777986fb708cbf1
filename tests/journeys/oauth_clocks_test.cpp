#define BOOST_TEST_DYN_LINK
#include "oauth_house.hpp"
#include "support/event_reader.hpp"
#include "support/temporary_folder.hpp"
#include "vocabulary/time.hpp"

#include <boost/json/parse.hpp>

#include <fstream>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;
using boost::json::object;
using boost::json::value;

namespace {

/// An entry of an operator's own: two tokens with a clock each, and secrets that live two years at most.
constexpr std::string_view entry = R"({
  "id": "chat", "name": "Chat", "docs": "https://chat.example/docs", "verified_on": "2026-11-25",
  "sources": ["https://chat.example/docs"],
  "auth": [{
    "name": "oauth2", "label": "OAuth 2.0",
    "fields": [
      {"name": "token_url", "type": "string", "label": "Token URL", "format": "url", "destination": true, "leased": false},
      {"name": "authorize_url", "type": "string", "label": "URL", "format": "url", "destination": true, "leased": false},
      {"name": "client_id", "type": "string", "label": "Client ID", "leased": false},
      {"name": "client_secret", "type": "string", "label": "Secret", "secret": true, "leased": false},
      {"name": "bot", "type": "string", "label": "Bot token", "secret": true, "source": "tokens"},
      {"name": "user", "type": "string", "label": "User token", "secret": true, "source": "tokens"}
    ],
    "oauth": {
      "flows": ["authorization_code", "refresh_token"],
      "authorize_url": "{authorize_url}", "token_url": "{token_url}", "client_auth": "post",
      "refresh_class": "single_use", "client_id": "client_id", "client_secret": "client_secret",
      "slots": [
        {"name": "bot", "access_token": "bot", "access_token_at": "/access_token", "refresh_token_at": "/refresh_token",
         "expires_in_at": "/expires_in", "refresh_expires_in_at": "/refresh_expires_in"},
        {"name": "user", "access_token": "user", "access_token_at": "/user/access_token",
         "refresh_token_at": "/user/refresh_token", "expires_in_at": "/user/expires_in",
         "refresh_expires_in_at": "/user/refresh_expires_in"}
      ],
      "clocks": {"refresh_absolute": "365d", "client_secret": "730d"}
    },
    "http": {"headers": [{"name": "Authorization", "value": "Bearer {bot}"}]}
  }]
})";

/// A provider whose answers hold both; access tokens live so many seconds.
object two_slots(int seconds = 3600) {
    const auto slot = [](const std::string& name, const std::string& under) {
        return object{{"name", name},
                      {"access_token_at", under + "/access_token"},
                      {"refresh_token_at", under + "/refresh_token"},
                      {"expires_in_at", under + "/expires_in"},
                      {"refresh_expires_in_at", under + "/refresh_expires_in"}};
    };
    return {{"refresh_class", "single_use"},
            {"lifetimes", object{{"access", seconds}, {"refresh", 7776000}}},
            {"answer", object{{"slots", boost::json::array{slot("bot", ""), slot("user", "/user")}}}}};
}

std::string with_class(std::string_view refresh_class) {
    std::string text(entry);
    constexpr std::string_view held = "\"single_use\"";
    return text.replace(text.find(held), held.size(), '"' + std::string(refresh_class) + '"');
}

struct Services {
    test::TemporaryFolder folder;
    explicit Services(std::string_view text) { std::ofstream(folder.path() / "chat.json") << text; }
    [[nodiscard]] std::string config() const { return "[catalog]\ndir = \"" + folder.path().string() + "\"\n"; }
};

struct Chat : Services, OAuthHouse {
    explicit Chat(const object& settings = two_slots(), std::string_view text = entry)
        : Services(text), OAuthHouse(settings, Services::config()) {}

    std::string connect(const std::string& name) {
        const object fields = {{"token_url", provider.origin() + "/token"},
                               {"authorize_url", provider.origin() + "/authorize"},
                               {"client_id", "client"},
                               {"client_secret", "client-secret"}};
        const auto begun = authorize({{"service", "chat"}, {"name", name}, {"fields", fields}});
        BOOST_REQUIRE_MESSAGE(begun.status == 201U, boost::json::serialize(begun.json));
        const auto done = complete(begun, visit(text(begun.json, "authorize_url")));
        BOOST_REQUIRE_MESSAGE(text(done.json, "state") == "connected", boost::json::serialize(done.json));
        return text(done.json, "credential");
    }
};

vocabulary::Time now() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }
std::string in(vocabulary::Duration from_now) { return vocabulary::text_of(now() + from_now); }
/// How far ahead a member's time is.
vocabulary::Duration ahead(const value& object, std::string_view member) {
    return *vocabulary::read_time(object.at(member).as_string()) - now();
}
bool is_about(vocabulary::Duration one, vocabulary::Duration other) { return one > other - 5min && one <= other; }

Answered patch(OAuthHouse& house, const std::string& id, const object& members) {
    return ask(house.client, "PATCH", "/v1/credentials/" + id, boost::json::serialize(members));
}
std::uint64_t endings(OAuthHouse& house) {
    const auto status = ask(house.client, "GET", "/v1/status").json;
    return status.at("oauth").at("ending").to_number<std::uint64_t>();
}
/// Whether it comes to be within a generous time.
bool comes(const std::function<bool()>& is) {
    for (int i = 0; i < 500; ++i) {
        if (is()) return true;
        std::this_thread::sleep_for(40ms);
    }
    return false;
}
std::size_t warnings(OAuthHouse& house, const std::string& action = "oauth.ending") {
    return audit_of(house.client, "action=" + action).size();
}

} // namespace

BOOST_AUTO_TEST_SUITE(oauth_clocks)

BOOST_FIXTURE_TEST_CASE(every_clock_of_every_slot_is_shown, Chat) {
    const auto id = connect("both");
    const auto shown = show(id).at("oauth");
    const auto& tokens = shown.at("tokens").as_array();
    BOOST_REQUIRE_EQUAL(tokens.size(), 2U);
    for (const auto& token : tokens) {
        BOOST_TEST(is_about(ahead(token, "token_expires_at"), 1h));
        BOOST_TEST(is_about(ahead(token, "refresh_idle_ends_at"), 90 * 24h));
        BOOST_TEST(is_about(ahead(token, "refresh_ends_at"), 365 * 24h));
    }
    BOOST_TEST(is_about(ahead(shown, "client_secret_ends_at"), 730 * 24h)); // the provider lets none live longer
    BOOST_TEST(shown.at("ending").as_array().empty());

    // Whoever knows better says so; it stays over a refresh and another consent.
    BOOST_TEST(patch(*this, id, {{"client_secret_ends_at", "soon"}}).status == 400U);
    const auto end = in(5h);
    const auto changed = patch(*this, id, {{"client_secret_ends_at", end}});
    BOOST_REQUIRE_EQUAL(changed.status, 200U);
    BOOST_TEST(ask(client, "POST", "/v1/credentials/" + id + "/refresh", "{}").status == 200U);
    const auto anew = authorize({{"credential", id}});
    BOOST_TEST(text(complete(anew, visit(text(anew.json, "authorize_url"))).json, "state") == "connected");
    const auto after = show(id).at("oauth");
    BOOST_TEST(text(after, "client_secret_ends_at") == end);
    BOOST_REQUIRE_EQUAL(after.at("ending").as_array().size(), 1U);
    BOOST_TEST(text(after.at("ending").as_array()[0], "clock") == "client_secret");
    BOOST_TEST(comes([&] { return endings(*this) == 1; }));
    BOOST_TEST(patch(*this, id, {{"client_secret_ends_at", nullptr}}).status == 200U);
    BOOST_TEST(show(id).at("oauth").at("client_secret_ends_at").is_null());
    BOOST_TEST(comes([&] { return endings(*this) == 0; }));
}

BOOST_FIXTURE_TEST_CASE(a_clock_is_warned_of_in_time_once_and_not_again_after_a_restart, Chat) {
    const auto id = connect("both");
    test::EventReader events(daemon.admin_socket());
    BOOST_REQUIRE(events.is_listening());
    const auto before = events.last_id();
    BOOST_REQUIRE_EQUAL(patch(*this, id, {{"client_secret_ends_at", in(24h + 4s)}}).status, 200U);
    auto event = events.next();
    while (event && event->type != "credential.ending") event = events.next();
    BOOST_REQUIRE(event.has_value());
    const auto told = boost::json::parse(event->data);
    BOOST_TEST(text(told, "credential") == id);
    BOOST_TEST(text(told, "clock") == "client_secret");
    BOOST_TEST(is_about(ahead(told, "expires_at"), 24h));
    BOOST_TEST(warnings(*this) == 1U);
    BOOST_TEST(daemon.log().contains("ends before long"));
    BOOST_TEST(comes([&] { return endings(*this) == 1; }));
    for (const bool is_killed : {false, true}) {
        if (is_killed) {
            daemon.kill9();
        } else {
            BOOST_TEST(daemon.stop().value_or(-1) == 0);
        }
        BOOST_REQUIRE(daemon.start());
        BOOST_TEST(comes([&] { return endings(*this) == 1; })); // it has looked
        BOOST_TEST(warnings(*this) == 1U);
    }
    // It is told again to a listener that comes back, from the log.
    test::EventReader again(daemon.admin_socket(), "Last-Event-ID: " + before + "\r\n");
    auto replayed = again.next();
    while (replayed && replayed->type != "credential.ending") replayed = again.next();
    BOOST_REQUIRE(replayed.has_value());
    BOOST_TEST(text(boost::json::parse(replayed->data), "expires_at") == text(told, "expires_at"));
}

BOOST_FIXTURE_TEST_CASE(no_clock_runs_of_what_was_revoked_or_deleted, Chat) {
    const auto id = connect("both");
    BOOST_REQUIRE_EQUAL(patch(*this, id, {{"client_secret_ends_at", in(1h)}}).status, 200U);
    BOOST_REQUIRE(comes([&] { return endings(*this) == 1; }));
    const auto path = "/v1/credentials/" + id;
    BOOST_REQUIRE_EQUAL(ask(client, "POST", path + "/revoke", "{}").status, 200U);
    BOOST_TEST(comes([&] { return endings(*this) == 0; }));
    BOOST_REQUIRE_EQUAL(ask(client, "POST", path + "/restore", "{}").status, 200U);
    BOOST_TEST(comes([&] { return endings(*this) == 1; }));
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", path).status, 204U);
    BOOST_TEST(comes([&] { return endings(*this) == 0; }));
}

BOOST_FIXTURE_TEST_CASE(what_comes_to_be_told_while_nobody_runs_is_told_at_the_start, Chat) {
    const auto id = connect("both");
    BOOST_REQUIRE_EQUAL(patch(*this, id, {{"client_secret_ends_at", in(24h + 4s)}}).status, 200U);
    BOOST_TEST(daemon.stop().value_or(-1) == 0);
    std::this_thread::sleep_for(4s);
    BOOST_REQUIRE(daemon.start());
    BOOST_TEST(comes([&] { return warnings(*this) == 1; }));
}

BOOST_AUTO_TEST_CASE(a_refresh_token_that_no_use_keeps_alive_is_warned_of_when_a_tenth_is_left) {
    auto settings = two_slots();
    settings["refresh_class"] = "static";
    settings["lifetimes"] = object{{"access", 3600}, {"refresh", 10}};
    Chat house(settings, with_class("static"));
    const auto id = house.connect("both");
    const auto token = house.show(id).at("oauth").at("tokens").as_array()[0];
    BOOST_TEST(token.at("refresh_idle_ends_at").is_null());
    BOOST_TEST((ahead(token, "refresh_ends_at") <= 10s));
    BOOST_TEST(comes([&] { return warnings(house) == 2; })); // of either slot
    const auto records = audit_of(house.client, "action=oauth.ending");
    BOOST_TEST(records[0].at("detail").as_string().starts_with("refresh_absolute of "));
    BOOST_TEST(house.show(id).at("oauth").at("ending").as_array().size() == 2U);
    const auto first = ask(house.client, "GET", "/v1/status").json.at("oauth").at("first_ending");
    BOOST_TEST(Chat::text(first, "clock") == "refresh_absolute");
    BOOST_TEST(Chat::text(first, "credential") == id);
    BOOST_TEST(Chat::text(first, "name") == "both");
    BOOST_TEST(first.at("at") == token.at("refresh_ends_at"));
}

BOOST_AUTO_TEST_CASE(a_lease_of_two_tokens_that_have_ended_waits_for_both) {
    Chat house(two_slots(4));
    const auto id = house.connect("both");
    BOOST_TEST(house.daemon.stop().value_or(-1) == 0);
    std::this_thread::sleep_for(4100ms);
    BOOST_REQUIRE_MESSAGE(house.daemon.start(), house.daemon.log());
    const auto lease = house.client.lease({.credential = "both"});
    BOOST_REQUIRE_MESSAGE(lease.ok(), (lease.ok() ? std::string() : lease.error().sentence));
    const auto shown = house.show(id).at("oauth");
    for (const auto& token : shown.at("tokens").as_array()) BOOST_TEST((ahead(token, "token_expires_at") > 2s));
    BOOST_TEST(house.provider.uses_of_spent_tokens().empty());
}

BOOST_AUTO_TEST_CASE(what_a_token_is_to_be_good_for_counts_for_both) {
    Chat house(two_slots(20));
    const auto id = house.connect("both");
    std::this_thread::sleep_for(3s);
    const auto before = house.provider.token_requests().size();
    const auto lease = house.client.lease({.credential = "both", .min_valid = 18s});
    BOOST_REQUIRE(lease.ok());
    BOOST_TEST((lease->expires_at() > std::chrono::system_clock::now() + 17s));
    BOOST_TEST(house.provider.token_requests().size() == before + 2);
    // Both are new now: what no token is good for is not asked for again.
    BOOST_TEST(house.client.lease({.credential = "both", .min_valid = 1h}).ok());
    BOOST_TEST(house.provider.token_requests().size() == before + 2);
}

BOOST_FIXTURE_TEST_CASE(the_end_of_an_organizations_client_secret_is_kept_shown_and_warned_of, Chat) {
    const object places = {{"token_url", provider.origin() + "/token"},
                           {"authorize_url", provider.origin() + "/authorize"}};
    object app = {{"client_id", "client"}, {"client_secret", "client-secret"}, {"fields", places}};
    const auto put = [&] { return ask(client, "PUT", "/v1/oauth/clients/chat", boost::json::serialize(app)); };
    BOOST_TEST(is_about(ahead(put().json, "client_secret_ends_at"), 730 * 24h)); // by the entry's rule
    app["client_secret_ends_at"] = in(-1h);
    BOOST_TEST(put().code == "invalid_request");
    app["client_secret_ends_at"] = in(24h + 4s);
    BOOST_TEST(put().status == 200U);
    BOOST_TEST(comes([&] { return warnings(*this, "oauth_client.ending") == 1; }));
    BOOST_TEST(daemon.log().contains("The secret of the organization's OAuth client ends before long."));
    const auto first = ask(client, "GET", "/v1/status").json.at("oauth").at("first_ending");
    BOOST_TEST(text(first, "service") == "chat");
    BOOST_TEST(first.at("credential").is_null());

    const auto begun = authorize({{"service", "chat"}, {"name", "shared"}, {"fields", places}});
    const auto done = complete(begun, visit(text(begun.json, "authorize_url")));
    const auto id = text(done.json, "credential");
    BOOST_TEST(show(id).at("oauth").at("client_secret_ends_at") == app["client_secret_ends_at"]);
    BOOST_TEST(show(id).at("oauth").at("ending").as_array().size() == 1U);
    BOOST_TEST(patch(*this, id, {{"client_secret_ends_at", in(1h)}}).status == 400U); // it is not this one's to say
    BOOST_TEST(daemon.stop().value_or(-1) == 0);
    BOOST_REQUIRE(daemon.start());
    const auto shown = ask(client, "GET", "/v1/oauth/clients/chat").json;
    BOOST_TEST(shown.at("client_secret_ends_at") == app["client_secret_ends_at"]);
    BOOST_TEST(comes([&] { return endings(*this) == 1; }));
    BOOST_TEST(warnings(*this, "oauth_client.ending") == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_client_secret_that_has_ended_loses_no_grant_and_a_new_one_goes_on_with_it, Chat) {
    const object places = {{"token_url", provider.origin() + "/token"},
                           {"authorize_url", provider.origin() + "/authorize"}};
    object app = {{"client_id", "client"}, {"client_secret", "client-secret"}, {"fields", places}};
    const auto put = [&] { return ask(client, "PUT", "/v1/oauth/clients/chat", boost::json::serialize(app)).status; };
    BOOST_TEST(put() == 201U);
    std::vector<std::string> ids;
    for (const auto* name : {"one", "two"}) {
        const auto begun = authorize({{"service", "chat"}, {"name", name}, {"fields", places}});
        const auto done = complete(begun, visit(text(begun.json, "authorize_url")));
        ids.push_back(text(done.json, "credential"));
    }
    provider.control("/client", {{"id", "client"}, {"secret", "second-secret"}});
    for (const auto& id : ids) {
        const auto refused = ask(client, "POST", "/v1/credentials/" + id + "/refresh", "{}");
        BOOST_TEST(refused.code == "upstream_failed");
        const auto shown = show(id);
        BOOST_TEST(text(shown, "status") == "failing"); // and not expired: nobody has to consent again
        BOOST_TEST(text(shown, "status_reason").contains("refuses the OAuth client"));
        BOOST_TEST(text(shown.at("oauth"), "last_failure") == "invalid_client");
        const auto again = ahead(shown.at("oauth"), "refresh_at");
        BOOST_TEST((again > 10min && again < 1h));
    }
    BOOST_TEST(client.lease({.credential = "one"}).ok()); // the live token serves on
    app["client_secret"] = "second-secret";
    BOOST_TEST(put() == 200U);
    for (const auto& id : ids) {
        BOOST_TEST(becomes(id, "active"));
        BOOST_TEST(show(id).at("version").to_number<int>() == 2);
        BOOST_TEST(show(id).at("generation").to_number<int>() == 1);
    }
    BOOST_TEST(provider.uses_of_spent_tokens().empty());
}

BOOST_AUTO_TEST_CASE(the_time_in_which_a_token_may_be_refused_is_measured_shown_and_told_to_workers) {
    OAuthHouse house({{"refresh_class", "kills_access_token"}});
    const auto lease_of = [&](const std::string& name) {
        const auto body = boost::json::serialize(object{{"credential", name}});
        return ask(house.client, "POST", "/v1/leases", body, Client::Door::lease).json.as_object();
    };
    const auto id = house.connected("blips", {{"refresh_class", "kills_access_token"}});
    house.connected("steady", {{"refresh_class", "static"}});
    BOOST_TEST(lease_of("blips").contains("may_blip"));
    BOOST_TEST(!lease_of("steady").contains("may_blip"));
    BOOST_TEST(!house.show(id).at("oauth").as_object().contains("may_be_refused_for"));

    house.provider.misbehave({{"do", "slow"}, {"after_ms", 300}});
    for (int i = 0; i < 2; ++i) {
        BOOST_TEST(ask(house.client, "POST", "/v1/credentials/" + id + "/refresh", "{}").status == 200U);
    }
    const auto status = ask(house.client, "GET", "/v1/status").json;
    const auto& times = status.at("oauth").at("providers").at("oauth2");
    BOOST_TEST(times.at("may_be_refused").at("count").to_number<int>() == 2);
    BOOST_TEST(times.at("may_be_refused").at("max_ms").to_number<int>() >= 300);
    BOOST_TEST(times.at("until_durable").at("count").to_number<int>() == 2);
    // What is ours of it does not count what the provider took.
    BOOST_TEST(times.at("until_durable").at("last_ms").to_number<int>() <=
               times.at("may_be_refused").at("last_ms").to_number<int>());
    const auto shown = house.show(id).at("oauth");
    BOOST_TEST((*vocabulary::read_duration(shown.at("may_be_refused_for").as_string()) >= 300ms));
}

BOOST_AUTO_TEST_CASE(scopes_that_the_provider_takes_back_are_reported) {
    OAuthHouse house({{"refresh_class", "rotating"}});
    const auto id =
        house.store("narrowed", {{"refresh_class", "rotating"}, {"scopes", boost::json::array{"read", "write"}}});
    const auto begun = house.authorize({{"credential", id}});
    BOOST_TEST(
        OAuthHouse::text(house.complete(begun, OAuthHouse::visit(OAuthHouse::text(begun.json, "authorize_url"))).json,
                         "state") == "connected");
    const auto refresh = [&] { return ask(house.client, "POST", "/v1/credentials/" + id + "/refresh", "{}").status; };
    BOOST_TEST(refresh() == 200U);
    BOOST_TEST(house.show(id).at("status_reason").is_null());
    test::EventReader events(house.daemon.admin_socket());
    BOOST_REQUIRE(events.is_listening());
    house.provider.misbehave({{"do", "alter"}, {"times", 2}, {"set", object{{"/scope", "read"}}}});
    BOOST_TEST(refresh() == 200U);
    const auto event = events.next();
    BOOST_REQUIRE(event.has_value());
    BOOST_TEST(event->type == "credential.updated");
    BOOST_TEST(refresh() == 200U); // it is reported once
    const auto shown = house.show(id);
    BOOST_TEST(OAuthHouse::text(shown, "status") == "active");
    BOOST_TEST(OAuthHouse::text(shown, "status_reason") == "the provider no longer grants: write");
    const auto& token = shown.at("oauth").at("tokens").as_array()[0];
    BOOST_TEST(boost::json::serialize(token.at("lost_scopes")) == R"(["write"])");
    std::vector<std::string> details;
    for (const auto& record : audit_of(house.client, "action=oauth.refreshed")) {
        if (record.at("detail").is_string()) details.emplace_back(record.at("detail").as_string());
    }
    BOOST_TEST((details == std::vector<std::string>{"scopes lost: write"}));
    BOOST_TEST(refresh() == 200U); // granted again
    BOOST_TEST(house.show(id).at("status_reason").is_null());
}

BOOST_AUTO_TEST_SUITE_END()
