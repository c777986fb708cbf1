#define BOOST_TEST_DYN_LINK
#include "oauth_house.hpp"
#include "support/daemon/slow_disk.hpp"

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;
using boost::json::object;

namespace {

constexpr auto device_grant = "urn:ietf:params:oauth:grant-type:device_code";

std::string path_of(const Answered& begun) { return "/v1/oauth/authorizations/" + OAuthHouse::text(begun.json, "id"); }

} // namespace

/// What happens to a credential, or to an authorization, while a person is asked.
BOOST_AUTO_TEST_SUITE(oauth_meanwhile)

BOOST_AUTO_TEST_CASE(a_code_goes_only_where_the_person_was_sent_to) {
    OAuthHouse house;
    const auto id = house.store("moved");
    const auto begun = house.authorize({{"credential", id}});
    BOOST_REQUIRE_EQUAL(begun.status, 201U);
    const auto address = OAuthHouse::visit(OAuthHouse::text(begun.json, "authorize_url"));
    const object fields = {{"token_url", house.provider.origin() + "/elsewhere/token"},
                           {"client_secret", "client-secret"}};
    const object elsewhere = {{"fields", fields}};
    const auto edited = ask(house.client, "PATCH", "/v1/credentials/" + id, boost::json::serialize(elsewhere));
    BOOST_REQUIRE_MESSAGE(edited.status == 200U, edited.code);
    BOOST_TEST(house.complete(begun, address).code == "invalid_request");
    const auto came = house.provider.log([](const Provider::Line& line) { return line.contains("path"); });
    BOOST_TEST((came.empty() && house.provider.token_requests().empty()));
    BOOST_TEST(OAuthHouse::text(ask(house.client, "GET", path_of(begun)).json, "state") == "failed");
    BOOST_TEST(house.authorize({{"credential", id}}).status == 201U); // and a new one may begin
}

BOOST_AUTO_TEST_CASE(what_was_moved_while_it_was_revoked_gets_its_tokens_anew_once_it_is_restored) {
    OAuthHouse house;
    const auto id = house.store("moved", {{"flow", "client_credentials"}});
    BOOST_REQUIRE(house.becomes(id, "active"));
    const auto path = "/v1/credentials/" + id;
    BOOST_REQUIRE_EQUAL(ask(house.client, "POST", path + "/revoke", "{}").status, 200U);
    const object fields = {{"authorize_url", house.provider.origin() + "/elsewhere"},
                           {"client_secret", "client-secret"}};
    const auto edited = ask(house.client, "PATCH", path, boost::json::serialize(object{{"fields", fields}}));
    BOOST_REQUIRE_MESSAGE(edited.status == 200U, edited.code);
    BOOST_TEST(OAuthHouse::text(edited.json, "status") == "revoked");
    const auto restored = ask(house.client, "POST", path + "/restore", "{}");
    BOOST_TEST(OAuthHouse::text(restored.json, "status") == "pending");
    BOOST_TEST(house.becomes(id, "active"));
    BOOST_TEST(!house.token_of("moved").empty());
}

BOOST_AUTO_TEST_CASE(a_device_that_was_given_up_while_the_provider_answered_connects_nothing) {
    for (const object& what : {object{{"do", "slow"}}, object{{"do", "error"}, {"error", "slow_down"}}}) {
        OAuthHouse house({{"device_interval", 1}});
        const auto id = house.store("far", {{"device_url", house.provider.origin() + "/device_authorization"}});
        auto rule = what;
        rule["after_ms"] = 1500;
        rule["grant_type"] = device_grant;
        house.provider.misbehave(rule);
        const auto begun = house.authorize({{"credential", id}, {"flow", "device"}});
        house.provider.control("/device", {{"user_code", OAuthHouse::text(begun.json, "user_code")}});
        BOOST_REQUIRE(house.provider.wait_for_token_requests(1));
        BOOST_TEST(ask(house.client, "DELETE", path_of(begun)).status == 204U);
        std::this_thread::sleep_for(2500ms); // the answer has come, and the time to ask again
        BOOST_TEST(house.provider.token_requests().size() == 1U);
        BOOST_TEST(OAuthHouse::text(house.show(id), "status") == "pending");
        BOOST_TEST(OAuthHouse::text(ask(house.client, "GET", path_of(begun)).json, "state") == "failed");
    }
}

BOOST_AUTO_TEST_CASE(a_device_whose_tokens_have_come_is_ended_by_nothing_while_they_are_stored) {
    SlowDisk disk;
    OAuthHouse house({{"device_interval", 1}, {"lifetimes", object{{"device", 4}}}}, {}, {}, disk.setup());
    const auto id = house.store("far", {{"device_url", house.provider.origin() + "/device_authorization"}});
    const object asked = {{"credential", id}, {"flow", "device"}};
    const auto begun = house.authorize(asked);
    BOOST_REQUIRE_EQUAL(begun.status, 201U);
    disk.fail(ENOSPC, "/store/");
    house.provider.control("/device", {{"user_code", OAuthHouse::text(begun.json, "user_code")}});
    BOOST_REQUIRE_MESSAGE(house.daemon.wait_for_log("they lie in DATA/rescue"), house.daemon.log());
    const auto state = [&] { return OAuthHouse::text(ask(house.client, "GET", path_of(begun)).json, "state"); };
    BOOST_TEST(ask(house.client, "DELETE", path_of(begun)).status == 204U);
    BOOST_TEST(state() == "pending");
    const auto again = house.authorize({{"credential", id}}); // by a browser
    BOOST_TEST((again.status == 200U && path_of(again) == path_of(begun)));
    std::this_thread::sleep_for(4s); // its time is over
    BOOST_TEST(state() == "pending");
    disk.let_go();
    BOOST_TEST(OAuthHouse::comes_true([&] { return state() == "connected"; }));
    BOOST_TEST(OAuthHouse::text(house.show(id), "status") == "active");
    BOOST_TEST(audit_of(house.client, "action=oauth.failed").empty());
}

BOOST_AUTO_TEST_CASE(a_device_whose_time_is_over_is_asked_for_no_more_whatever_the_provider_says) {
    OAuthHouse house({{"device_interval", 1}, {"lifetimes", object{{"device", 2}}}});
    const auto id = house.store("far", {{"device_url", house.provider.origin() + "/device_authorization"}});
    house.provider.misbehave(
        {{"do", "error"}, {"error", "authorization_pending"}, {"grant_type", device_grant}, {"times", 0}});
    const auto begun = house.authorize({{"credential", id}, {"flow", "device"}});
    BOOST_REQUIRE_EQUAL(begun.status, 201U);
    const auto state = [&] { return OAuthHouse::text(ask(house.client, "GET", path_of(begun)).json, "state"); };
    BOOST_TEST(OAuthHouse::comes_true([&] { return state() == "failed"; }));
    const auto asked = house.provider.token_requests().size();
    std::this_thread::sleep_for(3s);
    BOOST_TEST(house.provider.token_requests().size() <= asked + 1);                      // one may have been under way
    BOOST_TEST(house.authorize({{"credential", id}, {"flow", "device"}}).status == 201U); // and a new one may begin
}

BOOST_AUTO_TEST_CASE(a_stop_does_not_wait_for_a_device_that_was_just_asked_for) {
    OAuthHouse house({{"device_interval", 30}});
    const auto id = house.store("far", {{"device_url", house.provider.origin() + "/device_authorization"}});
    BOOST_REQUIRE_EQUAL(house.authorize({{"credential", id}, {"flow", "device"}}).status, 201U);
    BOOST_TEST(house.daemon.stop(10s).value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(whoever_may_edit_a_credential_ends_an_authorization_that_somebody_else_began) {
    enum Uid : std::uint8_t { eve = 1, max = 2, sam = 3 };
    OAuthHouse house({},
                     "[sockets]\nadmin_mode = \"0666\"\n[access]\noperators = [\"root\"]\nusers = { daemon = "
                     "\"user:local/eve\", bin = \"user:local/max\", sys = \"user:local/sam\" }\n",
                     {}, {.open_to_others = true});
    for (const auto& [user, role] :
         {std::pair("eve", "editor"), std::pair("max", "member"), std::pair("sam", "editor")}) {
        const auto path = std::string("/v1/workspaces/default/members/user:local%2F") + user;
        BOOST_REQUIRE(ask(house.client, "PUT", path, R"({"role":")" + std::string(role) + "\"}").status < 300U);
    }
    const auto id = house.store("shared");
    const auto body = boost::json::serialize(object{{"credential", id}});
    const auto begins = [&](Uid uid) {
        return as_uid(uid, [&] {
            auto caller = client_of(house.daemon);
            return ask(caller, "POST", "/v1/oauth/authorizations", body).status == 201U ? 0 : 1;
        });
    };
    BOOST_REQUIRE_EQUAL(begins(eve), 0);
    const auto path_of_refused = [&] { // the refusal names it
        const auto refused =
            house.client.send({.method = "POST", .path = "/v1/oauth/authorizations", .json = body}).error();
        BOOST_TEST(refused.code == "authorization_in_progress");
        return "/v1/oauth/authorizations/" + refused.sentence.substr(refused.sentence.find("auth_"), 31);
    };
    const auto path = path_of_refused();
    const auto ends = [&](Uid uid) {
        return as_uid(uid, [&] {
            auto caller = client_of(house.daemon);
            return ask(caller, "DELETE", path).status == 204U ? 0 : 1;
        });
    };
    BOOST_TEST(ends(max) == 1);
    BOOST_TEST(ask(house.client, "GET", path).status == 404U); // its address is for who began it
    BOOST_TEST(house.authorize({{"credential", id}}).code == "authorization_in_progress");
    BOOST_TEST(ends(sam) == 0);
    BOOST_REQUIRE_EQUAL(begins(eve), 0);
    BOOST_TEST(ask(house.client, "DELETE", path_of_refused()).status == 204U);
    BOOST_TEST(house.authorize({{"credential", id}}).status == 201U);
    const auto failed = audit_of(house.client, "action=oauth.failed");
    BOOST_REQUIRE_EQUAL(failed.size(), 2U);
    BOOST_TEST(OAuthHouse::text(failed[0], "principal") == "operator:root"); // the newest first
    BOOST_TEST(OAuthHouse::text(failed[1], "principal") == "user:local/sam");
}

BOOST_AUTO_TEST_CASE(one_person_does_not_take_all_authorizations_and_old_ones_are_forgotten) {
    OAuthHouse house;
    const auto id = house.store("again");
    const auto first = house.authorize({{"credential", id}});
    BOOST_TEST(ask(house.client, "DELETE", path_of(first)).status == 204U);
    Answered last;
    for (int i = 0; i < 1024; ++i) {
        last = house.authorize({{"credential", id}});
        BOOST_REQUIRE_EQUAL(last.status, 201U);
        BOOST_REQUIRE_EQUAL(ask(house.client, "DELETE", path_of(last)).status, 204U);
    }
    BOOST_TEST(ask(house.client, "GET", path_of(first)).status == 404U);
    BOOST_TEST(ask(house.client, "GET", path_of(last)).status == 200U);
    for (int i = 0; i < 32; ++i) {
        const auto other = house.store("other " + std::to_string(i));
        BOOST_REQUIRE_EQUAL(house.authorize({{"credential", other}}).status, 201U);
    }
    BOOST_TEST(house.authorize({{"credential", id}}).code == "overloaded");
}

BOOST_AUTO_TEST_SUITE_END()
