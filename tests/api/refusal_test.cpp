#define BOOST_TEST_DYN_LINK
#include "broker_stand_in.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <random>
#include <sys/socket.h>

namespace {

using namespace credlease;
using api::Door;
using secret::Share;
using test::BrokerStandIn;
using test::request_text;
using test::SocketClient;
using namespace std::chrono_literals;

struct Fixture {
    BrokerStandIn broker;

    /// Sends `text`, expects one refusal, the end of the connection, and a broker that is none the worse for it.
    void is_refused(const std::string& text, unsigned status, std::string_view code, Door door = Door::admin) {
        BOOST_TEST_CONTEXT("request: " << text.substr(0, 80)) {
            auto client = broker.connect(door);
            client.send(text);
            const auto response = client.receive();
            BOOST_REQUIRE(response.has_value());
            BOOST_TEST(response->status == status);
            const auto problem = boost::json::parse(response->body);
            BOOST_TEST((problem.at("code").as_string() == code));
            BOOST_TEST(!problem.at("detail").as_string().empty());
            BOOST_TEST(response->header("connection") == "close");
            BOOST_TEST(response->header("content-type") == "application/problem+json");
            BOOST_TEST(client.is_closed_by_peer());
            client.close();
            BOOST_TEST(broker.has_connections(0));
            BOOST_TEST(broker.used(Share::bodies) == 16U * 1024);
        }
    }
};

std::string post(const std::string& headers, const std::string& body = {}) {
    return "POST /v1/leases HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n" + body;
}

BOOST_FIXTURE_TEST_SUITE(refusals, Fixture)

BOOST_AUTO_TEST_CASE(malformed_requests_are_refused_and_the_connection_ends) {
    is_refused("NONSENSE\r\n\r\n", 400, "invalid_request");
    is_refused("GET /v1/status HTTP/1.1\nHost: x\n\n", 400, "invalid_request");
    is_refused("GET /v1/status HTTP/1.1\r\n\r\n", 400, "invalid_request");
    is_refused("GET https://credlease/v1/status HTTP/1.1\r\nHost: x\r\n\r\n", 400, "invalid_request");
    is_refused("GET /v1/../v1/status HTTP/1.1\r\nHost: x\r\n\r\n", 400, "invalid_request");
    is_refused(post("Transfer-Encoding: gzip, chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"), 400, "invalid_request");
    is_refused(post("Content-Length: 2\r\nContent-Length: 3\r\n", "{}"), 400, "invalid_request");
    is_refused(post("Upgrade: websocket\r\nConnection: upgrade\r\n"), 400, "invalid_request");
    is_refused(post("Authorization: Basic YTpi\r\n"), 401, "unauthenticated");
    is_refused(post("Content-Type: text/plain\r\nContent-Length: 2\r\n", "hi"), 415, "unsupported_media_type");
    is_refused(std::string("\x16\x03\x01\x02\0\n\r\n", 8), 400, "invalid_request");
}

BOOST_AUTO_TEST_CASE(what_follows_a_refused_request_is_never_looked_at) {
    is_refused(post("Transfer-Encoding: chunked\r\n") + request_text("POST", "/v1/mark", "smuggled"), 400,
               "invalid_request");
    BOOST_TEST(broker.on_loop([&] { return broker.handled.empty(); }));
}

BOOST_AUTO_TEST_CASE(requests_before_a_malformed_one_are_answered) {
    auto client = broker.connect();
    client.send(request_text("POST", "/v1/mark", "fine") + "BROKEN\r\n\r\n");
    BOOST_TEST(client.receive()->status == 200U);
    BOOST_TEST(client.receive()->status == 400U);
    BOOST_TEST(client.is_closed_by_peer());
}

BOOST_AUTO_TEST_CASE(a_head_that_is_too_large_is_refused) {
    is_refused(post("X: " + std::string(16 * 1024, 'x') + "\r\n"), 431, "header_too_large");
    is_refused("GET /" + std::string(40'000, 'x'), 431, "header_too_large");
    std::string many;
    for (int i = 0; i < 70; ++i) many += "A: b\r\n";
    is_refused(post(many), 431, "header_too_large");
    auto client = broker.connect();
    const std::string just = "X: " + std::string(16'000, 'x') + "\r\n";
    BOOST_TEST(client.ask("POST", "/v1/leases", "{}", just)->status == 201U);
}

BOOST_AUTO_TEST_CASE(a_body_that_is_too_large_is_refused_before_it_is_read) {
    is_refused(post("Content-Length: 16385\r\n"), 413, "payload_too_large", Door::lease);
    is_refused(post("Content-Length: 262145\r\n"), 413, "payload_too_large");
    is_refused(post("Content-Length: 99999999999999999999999\r\n"), 400, "invalid_request");
    is_refused(post("Content-Length: 18446744073709551615\r\n"), 413, "payload_too_large");
    is_refused(post("Content-Length: 262145\r\nExpect: 100-continue\r\n"), 413, "payload_too_large");
}

BOOST_AUTO_TEST_CASE(a_client_that_sends_too_much_can_still_read_why) {
    auto client = broker.connect();
    BOOST_TEST(client.send(post("Content-Length: 600000\r\n", std::string(600'000, 'x'))));
    const auto response = client.receive();
    BOOST_REQUIRE(response.has_value());
    BOOST_TEST(response->status == 413U);
    BOOST_TEST(client.is_closed_by_peer());
}

BOOST_AUTO_TEST_CASE(a_client_that_never_stops_sending_is_cut_off) {
    auto client = broker.connect();
    const std::string piece(65'536, 'x');
    int sent = 0;
    while (client.send(piece) && sent < 1000) ++sent;
    BOOST_TEST(sent < 1000);
    BOOST_TEST(broker.has_connections(0));
}

BOOST_AUTO_TEST_CASE(a_truncated_request_is_forgotten) {
    const std::string text = request_text("POST", "/v1/mark", "never whole");
    for (std::size_t size = 1; size < text.size(); ++size) {
        auto client = broker.connect();
        client.send(text.substr(0, size));
        client.finish_writing();
        BOOST_REQUIRE(client.is_closed_by_peer());
    }
    BOOST_TEST(broker.has_connections(0));
    BOOST_TEST(broker.on_loop([&] { return broker.handled.empty(); }));
    BOOST_TEST(broker.used(Share::bodies) == 16U * 1024);
}

BOOST_AUTO_TEST_CASE(one_uid_holds_a_sixteenth_of_the_arena_in_bodies) {
    // 256 KiB of 4 MiB: four bodies of 64 KiB that never come whole
    std::vector<SocketClient> slow;
    for (int i = 0; i < 4; ++i) {
        slow.push_back(broker.connect());
        slow.back().send(post("Content-Length: 65536\r\n", "{"));
    }
    BOOST_TEST(broker.becomes_true([&] { return broker.arena->used(Share::bodies) == 272U * 1024; }));
    auto one_more = broker.connect();
    one_more.send(post("Content-Length: 5000\r\n", "{"));
    const auto response = one_more.receive();
    BOOST_REQUIRE(response.has_value());
    BOOST_TEST(response->status == 503U);
    BOOST_TEST(response->header("retry-after") == "1");
    BOOST_TEST(response->body.find("\"code\":\"overloaded\"") != std::string::npos);

    auto part_of_a_head = broker.connect();
    part_of_a_head.send("GET /v1/sta");
    BOOST_TEST(part_of_a_head.receive()->status == 503U);
    auto whole = broker.connect();
    BOOST_TEST(whole.ask("POST", "/v1/leases", "{\"small\":1}")->status == 201U);

    slow.pop_back();
    BOOST_TEST(broker.becomes_true([&] { return broker.arena->used(Share::bodies) == 208U * 1024; }));
    auto now = broker.connect();
    BOOST_TEST(now.ask("POST", "/v1/leases", "{" + std::string(60'000, ' ') + "}")->status == 201U);
    slow.clear();
    BOOST_TEST(broker.becomes_true([&] { return broker.arena->used(Share::bodies) == 16U * 1024; }));
}

BOOST_AUTO_TEST_CASE(in_a_small_arena_a_body_is_bounded_by_its_part) {
    BrokerStandIn small({}, std::size_t{1} << 18);
    auto client = small.connect();
    BOOST_TEST(client.ask("POST", "/v1/leases", "{" + std::string(16'000, ' ') + "}")->status == 201U);
    BOOST_TEST(client.ask("POST", "/v1/leases", "{" + std::string(20'000, ' ') + "}")->status == 413U);
}

BOOST_AUTO_TEST_CASE(what_is_sent_ahead_without_room_for_it_ends_the_connection_after_the_answer) {
    std::vector<SocketClient> slow;
    for (int i = 0; i < 4; ++i) {
        slow.push_back(broker.connect());
        slow.back().send(post("Content-Length: 65536\r\n", "{"));
    }
    BOOST_TEST(broker.becomes_true([&] { return broker.arena->used(Share::bodies) == 272U * 1024; }));
    auto client = broker.connect();
    client.send(request_text("POST", "/v1/later") + request_text("POST", "/v1/mark", "ahead"));
    BOOST_TEST(broker.becomes_true([&] { return broker.waiting.size() == 1; }));
    broker.answer_later("done");
    const auto response = client.receive();
    BOOST_REQUIRE(response.has_value());
    BOOST_TEST(response->body == "done");
    BOOST_TEST(response->header("connection") == "close");
    BOOST_TEST(client.is_closed_by_peer());
    BOOST_TEST(broker.on_loop([&] { return broker.handled.empty(); }));
}

BOOST_AUTO_TEST_CASE(noise_harms_nobody) {
    auto witness = broker.connect();
    std::mt19937 random(7466);
    for (int i = 0; i < 200; ++i) {
        auto client = broker.connect(i % 2 == 0 ? Door::lease : Door::admin);
        std::string noise = i % 3 == 0 ? post("Content-Length: 50\r\n") : std::string();
        for (unsigned k = random() % 6000; k > 0; --k) noise.push_back(static_cast<char>(random()));
        client.send(noise);
        if (i % 20 == 0) BOOST_REQUIRE(witness.ask("GET", "/v1/status")->status == 200U);
    }
    BOOST_TEST(broker.has_connections(1));
    BOOST_TEST(broker.used(Share::bodies) == 16U * 1024);
    BOOST_TEST(broker.on_loop([&] { return broker.handled.empty(); }));
}

BOOST_AUTO_TEST_CASE(descriptors_that_come_along_are_closed) {
    auto client = broker.connect();
    BOOST_TEST(broker.has_connections(1));
    const auto before = std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
    const std::string text = request_text("POST", "/v1/mark", "with a descriptor");
    iovec piece{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    const int passed = client.number();
    std::copy_n(reinterpret_cast<const unsigned char*>(&passed), sizeof passed, CMSG_DATA(head));
    BOOST_REQUIRE(::sendmsg(client.number(), &message, MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
    BOOST_TEST(client.receive()->status == 200U);
    BOOST_TEST(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}) == before);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
