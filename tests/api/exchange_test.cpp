#define BOOST_TEST_MODULE api
#define BOOST_TEST_DYN_LINK
#include "broker_stand_in.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <set>
#include <unistd.h>

namespace {

using namespace credlease;
using api::Door;
using test::BrokerStandIn;
using test::request_text;
using test::Response;
using namespace std::chrono_literals;

struct Fixture {
    BrokerStandIn broker;
};

std::string of_size(std::size_t size) { return "{" + std::string(size - 2, 'x') + "}"; }

BOOST_FIXTURE_TEST_SUITE(exchange, Fixture)

BOOST_AUTO_TEST_CASE(a_request_is_answered_with_the_headers_that_the_interface_promises) {
    auto client = broker.connect();
    const auto response = client.ask("POST", "/v1/echo", R"({"a":1})");
    BOOST_REQUIRE(response.has_value());
    BOOST_TEST(response->status == 201U);
    BOOST_TEST(response->header("content-type") == "application/json");
    BOOST_TEST(response->header("cache-control") == "no-store");
    BOOST_TEST(response->header("location") == "/v1/echo/1");
    BOOST_TEST(response->header("etag") == "\"7\"");
    BOOST_TEST(response->header("connection") == "");
    BOOST_TEST(response->header("credlease-request-id").starts_with("req_"));
    BOOST_TEST(response->header("credlease-request-id").size() == 30U);
}

BOOST_AUTO_TEST_CASE(everything_a_handler_may_need_reaches_it) {
    auto client = broker.connect(Door::lease);
    const auto response =
        client.ask("POST", "/v1/echo?a=1&b=%20", R"({"x":"y"})",
                   "authorization: bearer clg_token\r\nCredlease-Actor: user:alice\r\nIDEMPOTENCY-KEY: k-1\r\n"
                   "If-Match: \"7\"\r\nLast-Event-ID: 812.1\r\nX-Other: whatever\r\n");
    BOOST_REQUIRE(response.has_value());
    BOOST_TEST(response->body == R"({"door":"lease","method":"POST","path":"/v1/echo","query":"a=1&b=%20",)"
                                 R"("grant":"clg_token","actor":"user:alice","key":"k-1","if_match":"\"7\"",)"
                                 R"("last_event":"812.1","uid":)" +
                                     std::to_string(::getuid()) + R"(,"body":"{\"x\":\"y\"}","parts":[]})");
}

BOOST_AUTO_TEST_CASE(a_target_may_be_absolute_as_proxies_send_it) {
    auto client = broker.connect();
    const auto response = client.ask("POST", "http://credlease/v1/echo?a=1", "{}");
    BOOST_REQUIRE(response.has_value());
    BOOST_TEST(response->status == 201U);
    BOOST_TEST(response->body.contains(R"("path":"/v1/echo","query":"a=1")"));
    BOOST_TEST(client.ask("GET", "http://elsewhere:8080/v1/status")->status == 200U);
}

BOOST_AUTO_TEST_CASE(path_parts_are_decoded) {
    auto client = broker.connect();
    const auto response = client.ask("PUT", "/v1/echo/a%20b%2Fc/of/user:flows%2Falice", "{}");
    BOOST_REQUIRE(response.has_value());
    BOOST_TEST(response->body.ends_with(R"("parts":["a b/c","user:flows/alice"]})"));
}

BOOST_AUTO_TEST_CASE(a_secret_answer_is_sent_and_wiped) {
    auto client = broker.connect(Door::lease);
    const auto before = broker.used(secret::Share::leases);
    const auto response = client.ask("POST", "/v1/leases", R"({"secret":"correct horse battery staple"})");
    BOOST_REQUIRE(response.has_value());
    BOOST_TEST(response->status == 201U);
    BOOST_TEST(response->body == R"({"secret":"correct horse battery staple"})");
    BOOST_TEST(response->header("location") == "/v1/leases/lease_1");
    BOOST_TEST(broker.used(secret::Share::leases) == before);
    const bool is_wiped = broker.on_loop([&] {
        const auto all = secret::as_text(broker.arena->all_for_test());
        return all.find("correct horse") == std::string_view::npos && all.find("battery") == std::string_view::npos;
    });
    BOOST_TEST(is_wiped);
}

BOOST_AUTO_TEST_CASE(an_answer_without_content_has_no_length) {
    auto client = broker.connect();
    const auto response = client.ask("DELETE", "/v1/echo");
    BOOST_REQUIRE(response.has_value());
    BOOST_TEST(response->status == 204U);
    BOOST_TEST(!response->headers.contains("content-length"));
    BOOST_TEST(client.ask("GET", "/v1/status")->status == 200U);
}

BOOST_AUTO_TEST_CASE(head_is_answered_with_a_head_alone) {
    auto client = broker.connect();
    const auto response = client.ask("HEAD", "/v1/status");
    BOOST_REQUIRE(response.has_value());
    BOOST_TEST(response->status == 405U);
    BOOST_TEST(response->header("allow") == "GET");
    BOOST_TEST(client.ask("GET", "/v1/status")->status == 200U);
}

BOOST_AUTO_TEST_CASE(one_connection_serves_many_requests) {
    auto client = broker.connect();
    std::set<std::string> ids;
    for (int i = 0; i < 50; ++i) {
        const auto response = client.ask("GET", "/v1/status");
        BOOST_REQUIRE(response.has_value());
        ids.insert(response->header("credlease-request-id"));
    }
    BOOST_TEST(ids.size() == 50U);
    BOOST_TEST(broker.has_connections(1));
}

BOOST_AUTO_TEST_CASE(a_connection_closes_when_either_side_says_so) {
    auto client = broker.connect();
    const auto asked = client.ask("GET", "/v1/status", "", "Connection: close\r\n");
    BOOST_TEST(asked->header("connection") == "close");
    BOOST_TEST(client.is_closed_by_peer());
    auto other = broker.connect();
    BOOST_TEST(other.ask("GET", "/v1/close")->header("connection") == "close");
    BOOST_TEST(other.is_closed_by_peer());
    auto old = broker.connect();
    old.send("GET /v1/status HTTP/1.0\r\n\r\n");
    BOOST_TEST(old.receive()->status == 200U);
    BOOST_TEST(old.is_closed_by_peer());
    BOOST_TEST(broker.has_connections(0));
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_answered_in_order) {
    auto client = broker.connect();
    std::string text;
    constexpr int count = 200;
    for (int i = 0; i < count; ++i) text += request_text("POST", "/v1/leases", "{" + std::to_string(i) + "}");
    client.send(text);
    for (int i = 0; i < count; ++i) {
        const auto response = client.receive();
        BOOST_REQUIRE(response.has_value());
        BOOST_REQUIRE(response->body == "{" + std::to_string(i) + "}");
    }
    BOOST_TEST(broker.used(secret::Share::bodies) == 16U * 1024);
}

BOOST_AUTO_TEST_CASE(what_is_sent_ahead_waits_for_a_slow_answer) {
    auto client = broker.connect();
    client.send(request_text("POST", "/v1/later") + request_text("POST", "/v1/mark", "second") +
                request_text("POST", "/v1/later") + request_text("POST", "/v1/mark", "fourth"));
    BOOST_TEST(broker.becomes_true([&] { return broker.waiting.size() == 1; }));
    BOOST_TEST(client.is_silent(50ms));
    BOOST_TEST(broker.on_loop([&] { return broker.handled.empty(); }));
    broker.answer_later("first");
    BOOST_TEST(client.receive()->body == "first");
    BOOST_TEST(client.receive()->body == "{}");
    BOOST_TEST(broker.becomes_true([&] { return broker.waiting.size() == 1; }));
    client.send(request_text("POST", "/v1/mark", "fifth")); // more while one is being answered
    BOOST_TEST(client.is_silent(50ms));
    broker.answer_later("third");
    BOOST_TEST(client.receive()->body == "third");
    BOOST_TEST(client.receive().has_value());
    BOOST_TEST(client.receive().has_value());
    BOOST_TEST(
        (broker.on_loop([&] { return broker.handled; }) == std::vector<std::string>{"second", "fourth", "fifth"}));
}

BOOST_AUTO_TEST_CASE(a_request_may_be_split_anywhere) {
    const std::string text = request_text("POST", "/v1/leases", R"({"a":1})", "Idempotency-Key: k\r\n") +
                             request_text("POST", "/v1/leases", R"({"b":22})");
    auto client = broker.connect();
    for (std::size_t at = 1; at < text.size(); ++at) {
        client.send(text.substr(0, at));
        broker.on_loop([] {}); // so that the first piece is read by itself
        broker.on_loop([] {});
        client.send(text.substr(at));
        const auto first = client.receive();
        const auto second = client.receive();
        BOOST_REQUIRE(first.has_value());
        BOOST_REQUIRE(second.has_value());
        BOOST_REQUIRE(first->body == R"({"a":1})");
        BOOST_REQUIRE(second->body == R"({"b":22})");
    }
    BOOST_TEST(broker.used(secret::Share::bodies) == 16U * 1024);
}

BOOST_AUTO_TEST_CASE(a_request_may_come_one_byte_at_a_time) {
    auto client = broker.connect();
    for (const char c : request_text("POST", "/v1/leases", R"({"slow":"but sure"})", "Authorization: Bearer t\r\n")) {
        client.send({&c, 1});
        broker.on_loop([] {});
    }
    BOOST_TEST(client.receive()->body == R"({"slow":"but sure"})");
    BOOST_TEST(broker.used(secret::Share::bodies) == 16U * 1024);
}

BOOST_AUTO_TEST_CASE(the_largest_bodies_are_taken_and_leave_nothing_behind) {
    auto admin = broker.connect();
    auto lease = broker.connect(Door::lease);
    const std::string large = of_size(256 * 1024);
    const auto response = admin.ask("POST", "/v1/echo", large, "Idempotency-Key: k\r\nIf-Match: \"1\"\r\n");
    BOOST_REQUIRE(response.has_value());
    const auto echoed = boost::json::parse(response->body);
    BOOST_TEST((echoed.at("body").as_string() == large));
    BOOST_TEST((echoed.at("key").as_string() == "k"));
    BOOST_TEST((echoed.at("if_match").as_string() == "\"1\""));
    BOOST_TEST((echoed.at("path").as_string() == "/v1/echo"));
    const auto leased = lease.ask("POST", "/v1/echo", of_size(16 * 1024), "Authorization: Bearer clg_x\r\n");
    BOOST_REQUIRE(leased.has_value());
    BOOST_TEST((boost::json::parse(leased->body).at("grant").as_string() == "clg_x"));
    BOOST_TEST(broker.used(secret::Share::bodies) == 16U * 1024);
}

BOOST_AUTO_TEST_CASE(a_body_may_be_taken_along_by_a_handler) {
    auto client = broker.connect();
    for (const std::size_t size : {std::size_t{10}, std::size_t{100'000}}) {
        client.send(request_text("POST", "/v1/later", of_size(size)));
        BOOST_TEST(broker.becomes_true([&] { return broker.waiting.size() == 1; }));
        const auto taken = broker.on_loop([&] {
            return broker.bodies.back().expose(
                [](std::span<const std::byte> bytes) { return std::string(secret::as_text(bytes)); });
        });
        BOOST_TEST(taken == of_size(size));
        broker.answer_later("{}");
        BOOST_TEST(client.receive()->status == 200U);
        broker.on_loop([&] { broker.bodies.clear(); });
    }
    BOOST_TEST(broker.used(secret::Share::bodies) == 16U * 1024);
}

BOOST_AUTO_TEST_CASE(a_client_that_has_finished_writing_gets_its_answer) {
    auto client = broker.connect();
    client.send(request_text("POST", "/v1/later"));
    client.finish_writing();
    BOOST_TEST(broker.becomes_true([&] { return broker.waiting.size() == 1; }));
    BOOST_TEST(client.is_silent(20ms));
    broker.answer_later("late but there");
    BOOST_TEST(client.receive()->body == "late but there");
    BOOST_TEST(client.is_closed_by_peer());
}

BOOST_AUTO_TEST_CASE(a_body_is_asked_for_where_the_client_waits_to_be_asked) {
    auto client = broker.connect();
    const std::string head = "POST /v1/leases HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\nExpect: 100-continue\r\n\r\n";
    client.send(head);
    BOOST_TEST(client.receive()->status == 100U);
    client.send(R"({"a":1})");
    BOOST_TEST(client.receive()->status == 201U);
    client.send(head + R"({"a":1})");
    BOOST_TEST(client.receive()->status == 201U);
}

BOOST_AUTO_TEST_CASE(a_handler_that_throws_or_forgets_to_answer_is_an_internal_error) {
    auto client = broker.connect();
    for (const auto* path : {"/v1/throw", "/v1/drop"}) {
        const auto response = client.ask("GET", path);
        BOOST_REQUIRE(response.has_value());
        BOOST_TEST(response->status == 500U);
        BOOST_TEST(response->body.find("\"code\":\"internal\"") != std::string::npos);
        BOOST_TEST(response->body.find("coffee") == std::string::npos);
    }
    BOOST_TEST((broker.on_loop([&] { return broker.broken; }) == std::vector<std::string>{"out of coffee"}));
    BOOST_TEST(client.ask("GET", "/v1/status")->status == 200U);
}

BOOST_AUTO_TEST_CASE(a_turn_ends_once_after_its_requests) {
    int turns = 0;
    BrokerStandIn other({.end_of_turn = [&] { ++turns; }});
    std::vector<test::SocketClient> clients;
    for (int i = 0; i < 8; ++i) clients.push_back(other.connect());
    BOOST_TEST(other.has_connections(8));
    other.on_loop([&] {
        turns = 0;
        for (auto& client : clients) client.send(request_text("GET", "/v1/status"));
    });
    for (auto& client : clients) BOOST_TEST(client.receive()->status == 200U);
    BOOST_TEST(other.on_loop([&] { return turns; }) == 1);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
