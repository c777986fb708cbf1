#define BOOST_TEST_DYN_LINK
#include "oauth_house.hpp"
#include "support/daemon/wall_clock.hpp"
#include "vocabulary/time.hpp"

#include <thread>
#include <vector>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;
using boost::json::object;
using vocabulary::Time;

namespace {

object lives_for(std::chrono::seconds life) { return {{"lifetimes", object{{"access", life.count()}}}}; }

/// A broker whose wall clock can be set, beside a provider.
struct House : WallClock, OAuthHouse {
    explicit House(const object& settings = lives_for(30min)) : OAuthHouse(settings, {}, {}, WallClock::setup()) {}

    [[nodiscard]] static Time time(const boost::json::value& object, std::string_view member) {
        return *vocabulary::read_time(object.at(member).as_string());
    }
    [[nodiscard]] Time token_ends(const std::string& id) { return time(show(id).at("oauth"), "token_expires_at"); }
    [[nodiscard]] bool comes_to_end_at(const std::string& id, Time end) {
        return comes_true([&] { return is_about(token_ends(id), end); }, 20s);
    }
    [[nodiscard]] static bool is_about(Time one, Time other) { return std::chrono::abs(one - other) < 2s; }
    [[nodiscard]] boost::json::value lease(const std::string& name) {
        const object body = {{"credential", name}, {"ttl", "1h"}};
        return ask(client, "POST", "/v1/leases", boost::json::serialize(body), Client::Door::lease).json;
    }
    [[nodiscard]] std::size_t requests() const { return provider.token_requests().size(); }
    void restart_with_the_clock_moved(std::chrono::seconds by) {
        BOOST_REQUIRE(daemon.stop() == 0);
        move(by);
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    }
};

struct ShortLives : House {
    ShortLives() : House(lives_for(8s)) {}
};

} // namespace

BOOST_AUTO_TEST_SUITE(oauth_wall_clock)

BOOST_FIXTURE_TEST_CASE(a_clock_that_is_set_moves_no_end_of_a_token, House) {
    const auto id = connected("a");
    const auto before = lease("a");
    const auto ends = token_ends(id);
    BOOST_TEST(before.at("limited_by").as_string() == "token");
    const auto asked = requests();
    for (const auto by : {-2h, 5h}) {
        move(by);
        BOOST_TEST(comes_to_end_at(id, ends + (by < 0h ? by : by - 2h)));
        const auto after = lease("a");
        BOOST_TEST(after.at("limited_by").as_string() == "token");
        BOOST_TEST(is_about(time(after, "expires_at"), time(before, "expires_at"))); // leases keep their time line
        BOOST_TEST(after.at("secret").at("access_token") == before.at("secret").at("access_token"));
    }
    BOOST_TEST(requests() == asked);
}

BOOST_FIXTURE_TEST_CASE(set_back_a_token_is_refreshed_when_that_is_due, ShortLives) {
    const auto id = connected("a");
    move(-2h);
    const auto asked = requests();
    BOOST_TEST(provider.wait_for_token_requests(asked + 2, 60s));
    BOOST_TEST(becomes(id, "active"));
}

BOOST_FIXTURE_TEST_CASE(an_end_that_a_person_said_comes_at_once_when_the_clock_is_set_past_it, House) {
    const auto id = connected("a");
    BOOST_TEST(lease("a").as_object().contains("lease"));
    const auto end = vocabulary::text_of(token_ends(id) + 30min); // in an hour
    const auto body = boost::json::serialize(object{{"expires_at", end}});
    BOOST_REQUIRE_EQUAL(ask(client, "PATCH", "/v1/credentials/" + id, body).status, 200U);
    move(2h);
    BOOST_TEST(comes_true([&] { return !audit_of(client, "action=credential.expired").empty(); }, 20s));
    BOOST_TEST(!audit_of(client, "action=lease.ended").empty());
}

BOOST_FIXTURE_TEST_CASE(when_an_authorization_ends_is_shown_by_the_clock_of_now, House) {
    const auto id = store("a");
    const auto begun = authorize({{"credential", id}});
    BOOST_REQUIRE_EQUAL(begun.status, 201U);
    const auto before = time(begun.json, "expires_at");
    const auto path = "/v1/oauth/authorizations/" + text(begun.json, "id");
    for (const auto by : {2h, -5h}) {
        move(by);
        const auto there = before + (by > 0h ? by : by + 2h);
        BOOST_TEST(comes_true([&] { return is_about(time(ask(client, "GET", path).json, "expires_at"), there); }, 20s));
        BOOST_TEST(text(ask(client, "GET", path).json, "state") == "pending");
    }
    BOOST_TEST(text(complete(begun, visit(text(begun.json, "authorize_url"))).json, "state") == "connected");
}

BOOST_FIXTURE_TEST_CASE(set_forward_nobody_is_asked_for_what_lives_still, House) {
    std::vector<std::string> ids;
    for (int i = 0; i < 10; ++i) {
        ids.push_back(store("c" + std::to_string(i), {{"flow", "client_credentials"}}));
        BOOST_REQUIRE(becomes(ids.back(), "active"));
    }
    const auto asked = requests();
    const auto ends = token_ends(ids.back());
    move(2h);
    for (const auto& id : ids) BOOST_TEST(comes_true([&] { return token_ends(id) > ends + 119min; }, 20s));
    for (int i = 0; i < 10; ++i) BOOST_TEST(!token_of("c" + std::to_string(i)).empty());
    BOOST_TEST(requests() == asked);
}

BOOST_FIXTURE_TEST_CASE(an_answer_that_comes_after_the_clock_was_set_counts_from_its_request, House) {
    const auto id = connected("a");
    const auto before = token_ends(id);
    provider.misbehave({{"do", "slow"}, {"before_ms", 1500}});
    const auto asked = requests();
    unsigned status = 0;
    std::thread refreshing([&] {
        auto own = client_of(daemon);
        status = ask(own, "POST", "/v1/credentials/" + id + "/refresh", "{}").status;
    });
    BOOST_TEST(comes_true([&] { return !audit_of(client, "action=oauth.refreshing").empty(); }));
    move(-2h);
    refreshing.join();
    BOOST_TEST(status == 200U);
    BOOST_TEST(requests() == asked + 1);
    BOOST_TEST(comes_true([&] { return token_ends(id) < before - 119min && token_ends(id) > before - 121min; }, 20s));
}

BOOST_FIXTURE_TEST_CASE(of_what_was_stored_before_a_start_the_wall_clock_decides, House) {
    const auto id = connected("a");
    restart_with_the_clock_moved(0s);
    const auto asked = requests();
    move(2h);
    BOOST_TEST(provider.wait_for_token_requests(asked + 1, 60s)); // it has ended, as far as anybody knows
    BOOST_TEST(becomes(id, "active"));
}

BOOST_FIXTURE_TEST_CASE(a_stored_token_that_is_newer_than_now_is_refreshed, House) {
    const auto id = connected("a");
    const auto ends = token_ends(id);
    const auto asked = requests();
    restart_with_the_clock_moved(-2h);
    BOOST_TEST(provider.wait_for_token_requests(asked + 1, 60s));
    BOOST_TEST(comes_true([&] { return token_ends(id) < ends - 119min; }, 20s));
}

BOOST_AUTO_TEST_SUITE_END()
