#define BOOST_TEST_DYN_LINK
#include "oauth_house.hpp"
#include "support/daemon/slow_disk.hpp"
#include "support/socket_client.hpp"

#include <boost/json/parse.hpp>

#include <thread>
#include <vector>

using namespace credlease;
using namespace credlease::tests;
using boost::json::object;

namespace {

constexpr auto authorizations = "/v1/oauth/authorizations";
constexpr int held_for_ms = 1500;

/// A provider that takes each refresh token once, and ends the grant where one comes again.
struct SingleUse : OAuthHouse {
    explicit SingleUse(Daemon::Setup setup = {})
        : OAuthHouse({{"refresh_class", "single_use"}}, {}, {}, std::move(setup)) {}

    [[nodiscard]] boost::json::value refresh_token() const {
        return provider.control("/grant").at("grants").at(0).at("answer").at("refresh_token");
    }
    /// By hand.
    [[nodiscard]] object giving_a_token_to(const std::string& id) const {
        return {{"credential", id}, {"refresh_token", refresh_token()}};
    }
    /// As the libraries send it, again where a connection was lost.
    [[nodiscard]] test::Response send(const std::string& path, const object& body, const std::string& key) const {
        test::SocketClient admin(daemon.admin_socket());
        auto answer = admin.ask("POST", path, boost::json::serialize(body), "Idempotency-Key: " + key + "\r\n");
        BOOST_REQUIRE(answer.has_value());
        return std::move(*answer);
    }
    /// Twice at the same time, then once more, and once more after a restart: all get the first's outcome.
    std::string send_again_and_again(const std::string& path, const object& body, const std::string& state) {
        std::vector<test::Response> answers(2);
        {
            std::vector<std::jthread> senders;
            for (auto& answer : answers) senders.emplace_back([&] { answer = send(path, body, "once"); });
        }
        answers.push_back(send(path, body, "once"));
        BOOST_TEST(daemon.stop().value_or(-1) == 0);
        BOOST_REQUIRE(daemon.start());
        answers.push_back(send(path, body, "once"));
        for (const auto& answer : answers) {
            BOOST_TEST(answer.status == 200U);
            BOOST_TEST(answer.body == answers.front().body);
        }
        const auto told = boost::json::parse(answers.front().body);
        BOOST_TEST(text(told, "state") == state);
        BOOST_TEST(provider.token_requests().size() == 1U);
        auto other = body;
        other.begin()->value() = "another";
        BOOST_TEST(send(path, other, "once").status == 409U);
        BOOST_TEST(provider.token_requests().size() == 1U);
        return text(told, "credential");
    }
    /// Of a credential that is stored by the request itself.
    [[nodiscard]] object fields() const {
        return {{"token_url", provider.origin() + "/token"},
                {"authorize_url", provider.origin() + "/authorize"},
                {"device_url", provider.origin() + "/device_authorization"},
                {"client_id", "client"},
                {"client_secret", "client-secret"},
                {"client_auth", "post"}};
    }
    [[nodiscard]] std::string state_of(const boost::json::value& authorization) {
        const auto shown = ask(client, "GET", authorizations + ('/' + text(authorization, "id")));
        return text(shown.json, "state");
    }
    void expect_alive(const std::string& id, const std::string& name) {
        BOOST_TEST(!token_of(name).empty());
        BOOST_TEST(ask(client, "POST", "/v1/credentials/" + id + "/refresh", "{}").status == 200U);
        BOOST_TEST(provider.uses_of_spent_tokens().empty());
    }
};

void expect_mismatch(const test::Response& answer) {
    BOOST_REQUIRE_EQUAL(answer.status, 409U);
    BOOST_TEST(OAuthHouse::text(boost::json::parse(answer.body), "code") == "idempotency_mismatch");
}

} // namespace

/// What was sent once and comes again, since an answer was lost, spends nothing a second time.
BOOST_AUTO_TEST_SUITE(oauth_resends)

BOOST_AUTO_TEST_CASE(a_refresh_token_that_a_person_gave_is_spent_once_however_often_the_request_comes) {
    SingleUse house;
    house.provider.misbehave({{"do", "slow"}, {"after_ms", held_for_ms}});
    const auto id = house.store("given");
    const object asked = house.giving_a_token_to(id);
    house.send_again_and_again(authorizations, asked, "connected");
    house.expect_alive(id, "given");
}

BOOST_AUTO_TEST_CASE(so_it_is_where_its_credential_is_stored_by_the_same_request) {
    SingleUse house;
    house.provider.misbehave({{"do", "slow"}, {"after_ms", held_for_ms}});
    const object asked = {
        {"service", "oauth2"}, {"name", "given"}, {"fields", house.fields()}, {"refresh_token", house.refresh_token()}};
    house.expect_alive(house.send_again_and_again(authorizations, asked, "connected"), "given");
}

BOOST_AUTO_TEST_CASE(one_that_is_lost_on_the_way_is_not_sent_again_either) {
    SingleUse house;
    house.provider.misbehave({{"do", "drop_after"}, {"after_ms", held_for_ms}});
    const auto id = house.store("given");
    const object asked = house.giving_a_token_to(id);
    house.send_again_and_again(authorizations, asked, "failed");
    BOOST_TEST(house.provider.uses_of_spent_tokens().empty());
    BOOST_TEST(audit_of(house.client, "action=oauth.failed").size() == 1U);
}

BOOST_AUTO_TEST_CASE(one_whose_tokens_a_stop_left_in_rescue_is_connected_for_who_sends_it_again) {
    SlowDisk disk;
    SingleUse house(disk.setup());
    house.provider.misbehave({{"do", "slow"}, {"after_ms", held_for_ms}});
    const auto id = house.store("given");
    const object asked = house.giving_a_token_to(id);
    std::jthread first([&] {
        test::SocketClient admin(house.daemon.admin_socket());
        (void)admin.ask("POST", authorizations, boost::json::serialize(asked), "Idempotency-Key: once\r\n");
    });
    BOOST_REQUIRE(house.provider.wait_for_token_requests(1));
    disk.fail(ENOSPC, "/store/");
    BOOST_REQUIRE_MESSAGE(house.daemon.wait_for_log("they lie in DATA/rescue"), house.daemon.log());
    BOOST_TEST(house.daemon.stop().has_value());
    first.join();
    disk.let_go();
    BOOST_REQUIRE_MESSAGE(house.daemon.start(), house.daemon.log());
    BOOST_TEST(house.becomes(id, "active"));
    for (int i = 0; i < 2; ++i) {
        const auto again = house.send(authorizations, asked, "once");
        BOOST_TEST(again.status == 200U);
        const auto told = boost::json::parse(again.body);
        BOOST_TEST((OAuthHouse::text(told, "state") == "connected" && OAuthHouse::text(told, "credential") == id));
        BOOST_TEST(OAuthHouse::text(told, "id").starts_with("auth_"));
    }
    BOOST_TEST(house.provider.token_requests().size() == 1U);
    house.expect_alive(id, "given");
}

BOOST_AUTO_TEST_CASE(one_whose_broker_was_killed_before_the_answer_came_is_not_spent_again) {
    SingleUse house;
    house.provider.misbehave({{"do", "slow"}, {"after_ms", held_for_ms}});
    const auto id = house.store("given");
    const object asked = house.giving_a_token_to(id);
    std::jthread first([&] {
        test::SocketClient admin(house.daemon.admin_socket());
        (void)admin.ask("POST", authorizations, boost::json::serialize(asked), "Idempotency-Key: once\r\n");
    });
    BOOST_REQUIRE(house.provider.wait_for_token_requests(1));
    house.daemon.kill9();
    first.join();
    BOOST_REQUIRE_MESSAGE(house.daemon.start(), house.daemon.log());
    const auto again = house.send(authorizations, asked, "once");
    BOOST_TEST(again.status == 200U);
    const auto told = boost::json::parse(again.body);
    BOOST_TEST(OAuthHouse::text(told, "state") == "failed");
    BOOST_TEST(OAuthHouse::text(told, "error").contains("may be spent"));
    BOOST_TEST(house.provider.token_requests().size() == 1U);
    BOOST_TEST(house.provider.uses_of_spent_tokens().empty());
}

BOOST_AUTO_TEST_CASE(a_store_that_cannot_write_spends_no_token_that_a_person_gave) {
    SlowDisk disk;
    SingleUse house(disk.setup());
    const auto id = house.store("given");
    const object asked = house.giving_a_token_to(id);
    disk.fail(EROFS, "/store/");
    for (const auto* key : {"once", "again"}) BOOST_TEST(house.send(authorizations, asked, key).status == 503U);
    BOOST_TEST(house.provider.token_requests().empty());
    disk.let_go();
    BOOST_TEST(OAuthHouse::comes_true([&] { return house.send(authorizations, asked, "once").status == 200U; }));
    BOOST_TEST(house.provider.token_requests().size() == 1U);
    house.expect_alive(id, "given");
}

BOOST_AUTO_TEST_CASE(nobody_elses_grant_comes_between_while_its_provider_is_asked) {
    SingleUse house;
    house.provider.misbehave({{"do", "slow"}, {"after_ms", held_for_ms}});
    const auto id = house.store("given");
    const object asked = house.giving_a_token_to(id);
    std::jthread first([&] { BOOST_TEST(house.send(authorizations, asked, "first").status == 200U); });
    BOOST_REQUIRE(house.provider.wait_for_token_requests(1));
    BOOST_TEST(house.send(authorizations, asked, "second").status == 409U);
    first.join();
    house.expect_alive(id, "given");
}

BOOST_AUTO_TEST_CASE(a_redirect_is_completed_once_however_often_it_comes) {
    for (const bool works : {true, false}) {
        SingleUse house;
        house.provider.misbehave({{"do", works ? "slow" : "drop_after"}, {"after_ms", held_for_ms}});
        const auto id = house.store("consented");
        const auto begun = house.authorize({{"credential", id}});
        const object asked = {{"redirect_url", OAuthHouse::visit(OAuthHouse::text(begun.json, "authorize_url"))}};
        const auto path = authorizations + ('/' + OAuthHouse::text(begun.json, "id")) + "/complete";
        house.send_again_and_again(path, asked, works ? "connected" : "failed");
        if (works) house.expect_alive(id, "consented");
    }
}

BOOST_AUTO_TEST_CASE(a_persons_consent_is_asked_for_once_however_often_the_request_comes) {
    for (const std::string how : {"browser", "device", "new credential"}) {
        BOOST_TEST_CONTEXT(how) {
            SingleUse house;
            const auto other = house.store("other");
            object asked = {{"service", "oauth2"}, {"name", "consented"}, {"fields", house.fields()}};
            if (how != "new credential") asked = {{"credential", house.store_fields("consented", house.fields())}};
            if (how == "device") asked["flow"] = "device";
            std::vector<test::Response> answers(2);
            {
                std::vector<std::jthread> senders;
                for (auto& answer : answers)
                    senders.emplace_back([&] { answer = house.send(authorizations, asked, "once"); });
            }
            answers.push_back(house.send(authorizations, asked, "once"));
            for (const auto& answer : answers) {
                BOOST_TEST(answer.status == 201U);
                BOOST_TEST(answer.body == answers.front().body);
            }
            expect_mismatch(house.send(authorizations, {{"credential", other}}, "once"));
            BOOST_TEST(!house.show(other).as_object().contains("authorization"));

            const auto begun = boost::json::parse(answers.front().body);
            const auto path = authorizations + ('/' + OAuthHouse::text(begun, "id"));
            BOOST_TEST(ask(house.client, "DELETE", path).status == 204U);
            const auto again = boost::json::parse(house.send(authorizations, asked, "once").body);
            BOOST_TEST((again.at("id") == begun.at("id") && OAuthHouse::text(again, "state") == "failed"));
            expect_mismatch(house.send(authorizations, {{"credential", other}}, "once"));
            const object anew = {{"credential", begun.at("credential")}};
            BOOST_TEST(house.send(authorizations, anew, "new").status == 201U);
            BOOST_TEST(audit_of(house.client, "action=oauth.started").size() == 2U);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_request_that_found_one_begun_already_gets_that_one_again_when_it_has_ended) {
    SingleUse house;
    const object asked = {{"credential", house.store("consented")}};
    const auto begun = boost::json::parse(house.send(authorizations, asked, "first").body);
    BOOST_TEST(house.send(authorizations, asked, "second").status == 200U);
    BOOST_TEST(ask(house.client, "DELETE", authorizations + ('/' + OAuthHouse::text(begun, "id"))).status == 204U);
    for (const auto* key : {"first", "second"}) {
        const auto again = boost::json::parse(house.send(authorizations, asked, key).body);
        BOOST_TEST((again.at("id") == begun.at("id") && OAuthHouse::text(again, "state") == "failed"));
    }
}

BOOST_AUTO_TEST_CASE(one_that_needs_no_person_is_the_same_however_often_the_request_comes) {
    SingleUse house;
    const auto id = house.store("by itself", {{"flow", "client_credentials"}});
    const object asked = {{"credential", id}};
    const auto first = house.send(authorizations, asked, "once");
    BOOST_TEST(first.status == 200U);
    BOOST_TEST(house.state_of(boost::json::parse(first.body)) == "connected");
    BOOST_TEST(house.send(authorizations, asked, "once").body == first.body);
    expect_mismatch(house.send(authorizations, {{"credential", house.store("other")}}, "once"));
}

BOOST_AUTO_TEST_CASE(a_key_of_an_authorization_stores_nothing_and_a_key_of_a_change_begins_nothing) {
    SingleUse house;
    const object asked = {{"credential", house.store("consented")}};
    const object stored = {{"service", "oauth2"}, {"name", "new"}, {"fields", house.fields()}};
    BOOST_TEST(house.send(authorizations, asked, "authorized").status == 201U);
    expect_mismatch(house.send(authorizations, stored, "authorized"));
    BOOST_TEST(audit_of(house.client, "action=credential.created").size() == 1U);
    BOOST_TEST(house.send("/v1/credentials", stored, "stored").status == 201U);
    expect_mismatch(house.send(authorizations, asked, "stored"));
    expect_mismatch(
        house.send(authorizations, house.giving_a_token_to(OAuthHouse::text(asked, "credential")), "authorized"));
}

BOOST_AUTO_TEST_CASE(what_was_refused_is_tried_again_when_the_request_comes_again) {
    SingleUse house;
    house.provider.misbehave({{"do", "error"}, {"error", "server_error"}, {"endpoint", "device"}, {"times", 1}});
    const object asked = {{"credential", house.store_fields("far", house.fields())}, {"flow", "device"}};
    BOOST_TEST(house.send(authorizations, asked, "once").status / 100 == 5U);
    BOOST_TEST(house.send(authorizations, asked, "once").status == 201U);
}

BOOST_AUTO_TEST_SUITE_END()
