#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"
#include "support/socket_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <thread>

using namespace credlease;
using namespace credlease::tests;

namespace {

std::string lease(test::SocketClient& worker, const std::string& members = {}) {
    const auto made = worker.ask("POST", "/v1/leases", R"({"credential":"kept")" + members + "}");
    BOOST_REQUIRE(made && made->status == 201);
    return std::string(boost::json::parse(made->body).at("lease").as_string());
}

/// "410 REASON", or the status alone.
std::string fate(Client& client, const std::string& lease) {
    Client::Request request;
    request.door = Client::Door::lease;
    request.method = "GET";
    request.path = "/v1/leases/" + lease;
    const auto answer = client.send(request);
    if (answer) return std::to_string(answer->status);
    return std::to_string(answer.error().status) + (answer.error().reason.empty() ? "" : " " + answer.error().reason);
}

/// More leases than the daemon keeps the ends of, on one connection, many under way at a time.
void end_a_hundred_thousand(const Daemon& daemon) {
    test::SocketClient worker(daemon.lease_socket());
    constexpr int at_a_time = 50;
    std::string requests;
    for (int i = 0; i < at_a_time; ++i)
        requests += test::request_text("POST", "/v1/leases", R"({"credential":"kept","ttl":"1s"})");
    for (int i = 0; i < 100'100; i += at_a_time) {
        BOOST_REQUIRE(worker.send(requests));
        for (int j = 0; j < at_a_time; ++j) {
            const auto made = worker.receive();
            BOOST_REQUIRE_MESSAGE(made && made->status == 201, (made ? made->body : std::string("no answer")));
        }
    }
}

} // namespace

BOOST_AUTO_TEST_CASE(why_a_lease_ended_is_known_when_a_hundred_thousand_others_have_ended_since) {
    Daemon daemon({.config = "[leases]\nper_principal = 1000000\n"});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    (void)store_token(client, "kept", "tok_6f1d2c9b8a7e4f3d");
    test::SocketClient worker(daemon.lease_socket());
    const auto sealed = lease(worker);
    BOOST_REQUIRE_EQUAL(ask(client, "POST", "/v1/seal").status, 200U);
    BOOST_REQUIRE_EQUAL(ask(client, "POST", "/v1/unseal").status, 200U);
    const auto expired = lease(worker, R"(,"ttl":"1ms")");
    const auto released = lease(worker);
    BOOST_REQUIRE(worker.ask("DELETE", "/v1/leases/" + released)->status == 204);
    const auto ended = lease(worker);
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/leases/" + ended).status, 204U);
    const auto unknown = expired.substr(0, expired.size() - 4) + "zzzz";

    const auto all_are_told = [&] {
        BOOST_TEST(fate(client, sealed) == "410 sealed");
        BOOST_TEST(fate(client, expired) == "410 expired");
        BOOST_TEST(fate(client, released) == "410 released");
        BOOST_TEST(fate(client, ended) == "410 ended_by_operator");
        BOOST_TEST(fate(client, unknown) == "404");
    };
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    all_are_told();
    end_a_hundred_thousand(daemon);
    for (int i = 0; i < 1000 && ask(client, "GET", "/v1/status").json.at("leases").to_number<int>() > 0; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    all_are_told();
    BOOST_TEST(worker.ask("DELETE", "/v1/leases/" + expired)->status == 204); // ending what has ended
    BOOST_TEST(worker.ask("DELETE", "/v1/leases/" + unknown)->status == 404);
    BOOST_TEST(worker.ask("POST", "/v1/leases/" + expired + "/renew", "{}")->status == 410);

    daemon.kill9();
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    all_are_told();
}
