#define BOOST_TEST_DYN_LINK
#include "broker_stand_in.hpp"
#include "wire/limits.hpp"

#include <boost/test/unit_test.hpp>

namespace {

using namespace credlease;
using secret::Share;
using test::BrokerStandIn;
using test::request_text;
using test::SocketClient;
using namespace std::chrono_literals;
namespace limits = wire::limits;

struct Fixture {
    BrokerStandIn broker;

    void times_out(SocketClient& client) {
        const auto response = client.receive();
        BOOST_REQUIRE(response.has_value());
        BOOST_TEST(response->status == 408U);
        BOOST_TEST(response->header("connection") == "close");
        BOOST_TEST(response->body.find("\"code\":\"request_timeout\"") != std::string::npos);
        BOOST_TEST(client.is_closed_by_peer());
    }
    void is_read(std::size_t more_than) {
        BOOST_TEST(broker.becomes_true([&] { return broker.arena->used(Share::bodies) > more_than; }));
    }
};

BOOST_FIXTURE_TEST_SUITE(deadlines, Fixture)

BOOST_AUTO_TEST_CASE(a_request_must_come_whole_in_time) {
    auto client = broker.connect();
    client.send("GET /v1/status HT");
    is_read(16 * 1024);
    broker.advance(limits::request_time - 1ms);
    BOOST_TEST(client.is_silent(20ms));
    broker.advance(1ms);
    times_out(client);
    BOOST_TEST(broker.used(Share::bodies) == 16U * 1024);
}

BOOST_AUTO_TEST_CASE(the_time_runs_from_the_first_byte_however_many_follow) {
    auto client = broker.connect();
    const std::string text = request_text("POST", "/v1/leases", std::string(100, 'x'));
    client.send(text.substr(0, 1));
    is_read(16 * 1024);
    for (std::size_t i = 1; i <= 9; ++i) { // a byte a second
        broker.advance(1s);
        client.send(text.substr(i, 1));
        broker.on_loop([] {});
    }
    BOOST_TEST(client.is_silent(20ms));
    broker.advance(1s);
    times_out(client);
}

BOOST_AUTO_TEST_CASE(a_body_must_come_in_the_same_time) {
    auto client = broker.connect();
    client.send("POST /v1/leases HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{");
    is_read(128 * 1024);
    broker.advance(limits::request_time);
    times_out(client);
    BOOST_TEST(broker.used(Share::bodies) == 16U * 1024);
}

BOOST_AUTO_TEST_CASE(each_request_has_its_own_time) {
    auto client = broker.connect();
    for (int i = 0; i < 5; ++i) {
        const std::string text = request_text("POST", "/v1/leases", "{}");
        client.send(text.substr(0, 20));
        is_read(16 * 1024);
        broker.advance(limits::request_time - 1s);
        client.send(text.substr(20));
        BOOST_TEST(client.receive()->status == 201U);
    }
}

BOOST_AUTO_TEST_CASE(waiting_for_a_handler_is_not_the_clients_fault) {
    auto client = broker.connect();
    client.send(request_text("POST", "/v1/later"));
    BOOST_TEST(broker.becomes_true([&] { return broker.waiting.size() == 1; }));
    broker.advance(limits::idle_time * 2);
    broker.answer_later("at last");
    BOOST_TEST(client.receive()->body == "at last");
}

BOOST_AUTO_TEST_CASE(a_connection_without_requests_is_closed_after_its_idle_time) {
    auto never_used = broker.connect();
    auto used = broker.connect();
    BOOST_TEST(used.ask("GET", "/v1/status")->status == 200U);
    BOOST_TEST(broker.has_connections(2));
    broker.advance(limits::idle_time - 1s);
    BOOST_TEST(used.ask("GET", "/v1/status")->status == 200U);
    broker.advance(1s);
    BOOST_TEST(never_used.is_closed_by_peer());
    BOOST_TEST(used.ask("GET", "/v1/status")->status == 200U);
    broker.advance(limits::idle_time);
    BOOST_TEST(used.is_closed_by_peer());
    BOOST_TEST(broker.has_connections(0));
}

BOOST_AUTO_TEST_CASE(a_reader_that_takes_nothing_is_dropped_and_its_secret_wiped) {
    auto client = broker.connect();
    client.send(request_text("GET", "/v1/large-secret?800000"));
    BOOST_TEST(broker.becomes_true([&] { return broker.arena->used(Share::leases) > 0; }));
    broker.advance(limits::reply_time - 1ms);
    BOOST_TEST(broker.used(Share::leases) > 0U);
    broker.advance(1ms);
    BOOST_TEST(broker.used(Share::leases) == 0U);
    BOOST_TEST(broker.has_connections(0));
    BOOST_TEST(!client.receive().has_value()); // it was cut off in the middle
}

BOOST_AUTO_TEST_CASE(a_reader_that_keeps_taking_gets_a_public_reply_to_its_end) {
    auto client = broker.connect();
    client.send(request_text("GET", "/v1/large?3000000"));
    BOOST_TEST(broker.has_connections(1));
    std::string got;
    std::array<char, 65536> piece{};
    while (got.size() < 3'000'000) {
        const ssize_t size = ::recv(client.number(), piece.data(), piece.size(), 0);
        BOOST_REQUIRE(size > 0);
        got.append(piece.data(), static_cast<std::size_t>(size));
        broker.on_loop([] {});
        broker.advance(1s);
    }
    BOOST_TEST(got.ends_with(std::string(1000, 'x')));
}

BOOST_AUTO_TEST_CASE(no_reader_keeps_a_secret_in_the_arena_by_taking_it_slowly) {
    auto client = broker.connect();
    client.send(request_text("GET", "/v1/large-secret?800000"));
    BOOST_TEST(broker.becomes_true([&] { return broker.arena->used(Share::leases) > 0; }));
    std::array<char, 32768> piece{};
    for (int i = 0; i < 10; ++i) {
        BOOST_REQUIRE(::recv(client.number(), piece.data(), piece.size(), 0) > 0);
        broker.on_loop([] {});
        broker.advance(1s);
    }
    BOOST_TEST(broker.used(Share::leases) == 0U);
    BOOST_TEST(broker.has_connections(0));
}

BOOST_AUTO_TEST_CASE(after_a_refusal_a_client_may_not_linger) {
    auto client = broker.connect();
    client.send("BROKEN\r\n\r\n");
    BOOST_TEST(client.receive()->status == 400U);
    BOOST_TEST(broker.has_connections(1));
    broker.advance(limits::request_time);
    BOOST_TEST(broker.has_connections(0));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
