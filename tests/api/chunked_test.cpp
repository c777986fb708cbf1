#define BOOST_TEST_DYN_LINK
#include "broker_stand_in.hpp"
#include "wire/limits.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace {

using namespace credlease;
using api::Door;
using secret::Share;
using test::BrokerStandIn;
using test::request_text;
using test::SocketClient;
using namespace std::chrono_literals;

constexpr std::size_t empty = 16 * 1024; ///< what the bodies' share holds when no body is there

std::string hex(std::size_t number) {
    std::array<char, 16> digits{};
    return {digits.data(), std::to_chars(digits.begin(), digits.end(), number, 16).ptr};
}

std::string chunk(std::string_view data) { return hex(data.size()) + "\r\n" + std::string(data) + "\r\n"; }

std::string chunked(std::string_view body, std::size_t size) {
    std::string text;
    for (; !body.empty(); body.remove_prefix(std::min(size, body.size()))) text += chunk(body.substr(0, size));
    return text + "0\r\n\r\n";
}

std::string head_of(const std::string& path, const std::string& headers = {}) {
    return "POST " + path + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" + headers + "\r\n";
}

struct Fixture {
    BrokerStandIn broker;

    void holds(std::size_t bytes) {
        BOOST_TEST(broker.becomes_true([&] { return broker.arena->used(Share::bodies) == bytes; }));
    }
    void is_refused(const std::string& text, unsigned status, Door door = Door::admin) {
        BOOST_TEST_CONTEXT(text.substr(0, 150)) {
            auto client = broker.connect(door);
            client.send(text);
            const auto response = client.receive();
            BOOST_REQUIRE(response.has_value());
            BOOST_TEST(response->status == status);
            BOOST_TEST(response->header("connection") == "close");
            BOOST_TEST(client.is_closed_by_peer());
        }
        BOOST_TEST(broker.used(Share::bodies) == empty);
    }
};

BOOST_FIXTURE_TEST_SUITE(chunked_bodies, Fixture)

BOOST_AUTO_TEST_CASE(everything_a_handler_may_need_reaches_it) {
    auto client = broker.connect();
    client.send(head_of("/v1/echo?a=1", "Authorization: Bearer clg_x\r\nContent-Type: application/json\r\n"
                                        "Idempotency-Key: k\r\nIf-Match: \"1\"\r\n") +
                chunked(R"({"a":"secret"})", 5));
    const auto response = client.receive();
    BOOST_REQUIRE(response.has_value());
    const auto echoed = boost::json::parse(response->body);
    BOOST_TEST((echoed.at("body").as_string() == R"({"a":"secret"})"));
    BOOST_TEST((echoed.at("grant").as_string() == "clg_x"));
    BOOST_TEST((echoed.at("key").as_string() == "k"));
    BOOST_TEST((echoed.at("if_match").as_string() == "\"1\""));
    BOOST_TEST((echoed.at("path").as_string() == "/v1/echo"));
    BOOST_TEST((echoed.at("query").as_string() == "a=1"));
    BOOST_TEST(broker.used(Share::bodies) == empty);
}

BOOST_AUTO_TEST_CASE(a_body_without_a_byte_is_one) {
    auto client = broker.connect();
    for (int i = 0; i < 2; ++i) {
        client.send(head_of("/v1/echo", "Authorization: Bearer clg_x\r\n") + "0\r\n\r\n");
        const auto response = client.receive();
        BOOST_REQUIRE(response.has_value());
        BOOST_TEST((boost::json::parse(response->body).at("grant").as_string() == "clg_x"));
        BOOST_TEST((boost::json::parse(response->body).at("body").as_string().empty()));
    }
    BOOST_TEST(broker.used(Share::bodies) == empty);
}

BOOST_AUTO_TEST_CASE(a_request_may_be_split_anywhere_and_another_may_follow) {
    const std::string text = head_of("/v1/leases", "Authorization: Bearer t\r\n") + chunked(R"({"a":1})", 4) +
                             head_of("/v1/leases") + chunked(R"({"b":22})", 3) +
                             request_text("POST", "/v1/leases", R"({"c":333})");
    auto client = broker.connect();
    for (std::size_t at = 1; at < text.size(); ++at) {
        client.send(text.substr(0, at));
        broker.on_loop([] {}); // so that the first piece is read by itself
        broker.on_loop([] {});
        client.send(text.substr(at));
        for (const auto* body : {R"({"a":1})", R"({"b":22})", R"({"c":333})"}) {
            const auto response = client.receive();
            BOOST_REQUIRE(response.has_value());
            BOOST_REQUIRE(response->body == body);
        }
    }
    BOOST_TEST(broker.used(Share::bodies) == empty);
}

BOOST_AUTO_TEST_CASE(what_is_sent_ahead_of_a_slow_answer_waits_for_it) {
    auto client = broker.connect();
    const auto later = head_of("/v1/later") + chunked("{\"x\":1}", 2);
    client.send(later + head_of("/v1/mark") + chunked("second", 1) + later);
    BOOST_TEST(broker.becomes_true([&] { return broker.waiting.size() == 1; }));
    BOOST_TEST(client.is_silent(50ms));
    BOOST_TEST(broker.on_loop([&] { return broker.handled.empty(); }));
    broker.answer_later("first");
    BOOST_TEST(client.receive()->body == "first");
    BOOST_TEST(client.receive()->body == "{}");
    BOOST_TEST(broker.becomes_true([&] { return broker.waiting.size() == 1; }));
    broker.answer_later("third");
    BOOST_TEST(client.receive()->body == "third");
    BOOST_TEST((broker.on_loop([&] { return broker.handled; }) == std::vector<std::string>{"second"}));
    broker.on_loop([&] { broker.bodies.clear(); });
    holds(empty);
}

BOOST_AUTO_TEST_CASE(the_limits_are_those_of_any_body) {
    const auto is_taken = [&](Door door, std::size_t size, std::size_t of_chunk) {
        auto client = broker.connect(door);
        const std::string body(size, 'x');
        client.send(head_of("/v1/echo") + chunked(body, of_chunk));
        const auto response = client.receive();
        BOOST_REQUIRE(response.has_value());
        BOOST_TEST(response->status == 201U);
        BOOST_TEST((boost::json::parse(response->body).at("body").as_string() == body));
        BOOST_TEST(broker.used(Share::bodies) == empty);
    };
    is_taken(Door::lease, 16 * 1024, 16 * 1024);
    is_taken(Door::lease, 16 * 1024, 7);
    is_taken(Door::admin, 256 * 1024, 256 * 1024);
    is_taken(Door::admin, 256 * 1024, 1000);
    is_taken(Door::admin, 100'000, 32);
    is_refused(head_of("/v1/echo") + "4001\r\n", 413, Door::lease);
    is_refused(head_of("/v1/echo") + chunk(std::string(16'000, 'x')) + "181\r\n", 413, Door::lease);
    is_refused(head_of("/v1/echo") + "40001\r\n", 413);
    is_refused(head_of("/v1/echo", "Expect: 100-continue\r\n") + "ffffffffffffffffffff\r\n", 413);
    is_refused(head_of("/v1/echo") + chunked(std::string(600'000, 'x'), 1000), 413);
    is_refused(head_of("/v1/echo") + "1;" + std::string(100'000, 'x'), 413);
}

BOOST_AUTO_TEST_CASE(what_is_no_chunk_is_refused_and_what_follows_never_looked_at) {
    const std::string smuggled = request_text("POST", "/v1/mark", "smuggled");
    for (const auto* body : {"", "x\r\n", "2\r\n{}0\r\n\r\n", "1\r\n{}\r\n0\r\n\r\n", "2\n{}\n0\n\n", "0\r\n\n",
                             "2;\n\r\n{}\r\n0\r\n\r\n", "0\r\n"}) {
        is_refused(head_of("/v1/leases") + body + smuggled, 400);
    }
    is_refused(head_of("/v1/leases", "Content-Length: 2\r\n") + "0\r\n\r\n" + smuggled, 400);
    is_refused("POST /v1/leases HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, 400);
    is_refused(head_of("/v1/leases", "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n" + smuggled, 400);
    is_refused(head_of("/v1/leases", "Content-Type: text/plain\r\n") + "0\r\n\r\n" + smuggled, 415);
    BOOST_TEST(broker.on_loop([&] { return broker.handled.empty(); }));
}

BOOST_AUTO_TEST_CASE(a_body_that_grows_takes_what_has_come_of_it) {
    auto client = broker.connect();
    client.send(head_of("/v1/leases") + "40000\r\n{");
    holds(empty + 1024);
    client.send(std::string(1023, ' '));
    broker.on_loop([] {});
    holds(empty + 1024);
    client.send(" ");
    holds(empty + 2048);
    client.send(std::string(100'000, ' '));
    holds(empty + 128 * 1024);
    client.close();
    holds(empty);
}

BOOST_AUTO_TEST_CASE(one_uid_holds_a_sixteenth_of_the_arena_in_bodies_that_grow) {
    // 256 KiB of 4 MiB
    std::vector<SocketClient> slow;
    for (int i = 0; i < 4; ++i) {
        slow.push_back(broker.connect());
        slow.back().send(head_of("/v1/leases") + "10000\r\n" + std::string(40'000, ' '));
    }
    holds(empty + 256 * 1024);
    auto one_more = broker.connect();
    one_more.send(head_of("/v1/leases") + "1\r\n{");
    const auto response = one_more.receive();
    BOOST_REQUIRE(response.has_value());
    BOOST_TEST(response->status == 503U);
    BOOST_TEST(response->header("retry-after") == "1");
    BOOST_TEST(one_more.is_closed_by_peer());
    slow.back().send(std::string(25'536, ' ') + "\r\n0\r\n\r\n"); // who has room goes on
    BOOST_TEST(slow.back().receive()->status == 400U);
    holds(empty + 192 * 1024);
    slow[0].send(std::string(25'536, ' ') + "\r\n1\r\n "); // 128 KiB and twice 64
    holds(empty + 256 * 1024);
    slow[1].send(std::string(25'536, ' ') + "\r\n1\r\n ");
    BOOST_TEST(slow[1].receive()->status == 503U);
    slow.clear();
    holds(empty);
}

BOOST_AUTO_TEST_CASE(a_body_must_come_in_the_time_of_any_body) {
    auto client = broker.connect();
    client.send(head_of("/v1/leases") + chunk(" "));
    holds(empty + 1024);          // it has begun
    for (int i = 0; i < 9; ++i) { // a chunk a second
        broker.advance(1s);
        client.send(chunk(" "));
        broker.on_loop([] {});
    }
    BOOST_TEST(client.is_silent(20ms));
    broker.advance(wire::limits::request_time - 9s);
    const auto response = client.receive();
    BOOST_REQUIRE(response.has_value());
    BOOST_TEST(response->status == 408U);
    BOOST_TEST(client.is_closed_by_peer());
    BOOST_TEST(broker.used(Share::bodies) == empty);
}

BOOST_AUTO_TEST_CASE(a_body_may_be_taken_along_by_a_handler) {
    auto client = broker.connect();
    const std::string body(5000, 'b');
    client.send(head_of("/v1/later") + chunked(body, 999));
    BOOST_TEST(broker.becomes_true([&] { return broker.waiting.size() == 1; }));
    BOOST_TEST(broker.on_loop([&] {
        return broker.bodies.back().expose(
            [&](std::span<const std::byte> bytes) { return secret::as_text(bytes) == body; });
    }));
    broker.answer_later("{}");
    BOOST_TEST(client.receive()->status == 200U);
    broker.on_loop([&] { broker.bodies.clear(); });
    BOOST_TEST(broker.used(Share::bodies) == empty);
}

BOOST_AUTO_TEST_CASE(a_body_is_asked_for_where_the_client_waits_to_be_asked) {
    auto client = broker.connect();
    client.send(head_of("/v1/leases", "Expect: 100-continue\r\n"));
    BOOST_TEST(client.receive()->status == 100U);
    client.send(chunked(R"({"a":1})", 3));
    BOOST_TEST(client.receive()->status == 201U);
}

BOOST_AUTO_TEST_CASE(nothing_of_it_stays_in_the_arena) {
    auto client = broker.connect();
    for (const std::size_t size : {std::size_t{4}, std::size_t{700}}) {
        std::string body = "{";
        while (body.size() < 3000) body += "correct horse battery staple ";
        client.send(head_of("/v1/leases") + chunked(body, size));
        BOOST_TEST(client.receive()->body == body);
    }
    BOOST_TEST(broker.becomes_true([&] {
        const auto all = secret::as_text(broker.arena->all_for_test());
        return !all.contains("correct horse") && !all.contains("battery staple");
    }));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
