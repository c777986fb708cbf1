#define BOOST_TEST_DYN_LINK
#include "broker_stand_in.hpp"
#include "support/allocations.hpp"

#include <boost/test/unit_test.hpp>

namespace {

using namespace credlease;
using api::Responder;
using secret::Share;
using test::BrokerStandIn;
using test::request_text;
using test::SocketClient;
using namespace std::chrono_literals;

struct Fixture {
    BrokerStandIn broker;
};

BOOST_FIXTURE_TEST_SUITE(replies, Fixture)

BOOST_AUTO_TEST_CASE(a_reply_larger_than_the_sockets_buffer_comes_whole) {
    auto client = broker.connect();
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(client.ask("GET", "/v1/large?5000000")->body == std::string(5'000'000, 'x'));
        const auto secret = client.ask("GET", "/v1/large-secret?800000");
        BOOST_REQUIRE(secret.has_value());
        BOOST_TEST(secret->body.size() == 800'000U);
        BOOST_TEST(secret->body.starts_with("hushhush"));
        BOOST_TEST(secret->body.ends_with("hushhush"));
    }
    BOOST_TEST(broker.becomes_true([&] { return broker.arena->used(Share::leases) == 0; }));
}

BOOST_AUTO_TEST_CASE(requests_sent_behind_a_large_reply_wait_for_it) {
    auto client = broker.connect();
    client.send(request_text("GET", "/v1/large?2000000") + request_text("POST", "/v1/mark", "next"));
    BOOST_TEST(broker.has_connections(1));
    client.send(request_text("POST", "/v1/mark", "last"));
    broker.on_loop([] {});
    BOOST_TEST(broker.on_loop([&] { return broker.handled.empty(); }));
    BOOST_TEST(client.receive()->body.size() == 2'000'000U);
    BOOST_TEST(client.receive()->body == "{}");
    BOOST_TEST(client.receive()->body == "{}");
}

BOOST_AUTO_TEST_CASE(a_client_that_dies_in_the_middle_of_a_secret_leaves_nothing_in_the_arena) {
    auto client = broker.connect();
    client.send(request_text("GET", "/v1/large-secret?800000"));
    BOOST_TEST(broker.becomes_true([&] { return broker.arena->used(Share::leases) > 0; }));
    client.close();
    BOOST_TEST(broker.has_connections(0));
    BOOST_TEST(broker.used(Share::leases) == 0U);
}

BOOST_AUTO_TEST_CASE(an_answer_to_a_client_that_has_gone_is_harmless) {
    auto client = broker.connect();
    client.send(request_text("POST", "/v1/later"));
    BOOST_TEST(broker.becomes_true([&] { return broker.waiting.size() == 1; }));
    BOOST_TEST(broker.on_loop([&] { return broker.waiting[0].is_connected(); }));
    client.close();
    BOOST_TEST(broker.has_connections(0));
    auto newcomer = broker.connect(); // takes the slot, not the answer
    BOOST_TEST(broker.has_connections(1));
    broker.on_loop([&] {
        BOOST_TEST(!broker.waiting[0].is_connected());
        auto secret = secret::SecretBuffer::copy(*broker.arena, std::string_view("for someone else"), Share::leases);
        BOOST_TEST(!broker.waiting[0].answer_secret(200, std::move(*secret)));
        BOOST_TEST(!broker.waiting[0].pending());
        broker.waiting.clear();
    });
    BOOST_TEST(newcomer.is_silent(20ms));
    BOOST_TEST(newcomer.ask("GET", "/v1/status")->status == 200U);
    BOOST_TEST(broker.used(Share::leases) == 0U);
}

BOOST_AUTO_TEST_CASE(a_request_is_answered_once) {
    auto client = broker.connect();
    client.send(request_text("POST", "/v1/later") + request_text("GET", "/v1/status"));
    BOOST_TEST(broker.becomes_true([&] { return broker.waiting.size() == 1; }));
    broker.on_loop([&] {
        BOOST_TEST(broker.waiting[0].answer({.body = "\"one\""}));
        BOOST_TEST(!broker.waiting[0].answer({.body = "\"two\""}));
        broker.waiting.clear();
    });
    BOOST_TEST(client.receive()->body == "\"one\"");
    BOOST_TEST(client.receive()->body == R"({"state":"ready"})");
    BOOST_TEST(client.is_silent(20ms));
}

BOOST_AUTO_TEST_CASE(an_answer_after_the_listener_has_gone_is_harmless) {
    Responder last;
    {
        BrokerStandIn other;
        auto client = other.connect();
        client.send(request_text("POST", "/v1/later"));
        BOOST_TEST(other.becomes_true([&] { return other.waiting.size() == 1; }));
        other.on_loop([&] {
            last = std::move(other.waiting[0]);
            other.waiting.clear();
        });
    }
    BOOST_TEST(!last.is_connected());
    BOOST_TEST(!last.answer({}));
}

BOOST_AUTO_TEST_CASE(slow_readers_of_one_uid_keep_a_sixteenth_of_the_lease_memory_at_most) {
    // 64 KiB of 1 MiB. The first may have more than that: it is alone.
    auto first = broker.connect();
    first.send(request_text("GET", "/v1/large-secret?300000"));
    BOOST_TEST(broker.becomes_true([&] { return broker.arena->used(Share::leases) == 512U * 1024; }));
    auto second = broker.connect();
    BOOST_TEST(broker.has_connections(2));
    second.send(request_text("GET", "/v1/large-secret?300000"));
    BOOST_TEST(broker.has_connections(1));
    BOOST_TEST(!second.receive().has_value()); // it was cut off in the middle
    BOOST_TEST(broker.used(Share::leases) == 512U * 1024);
    BOOST_TEST(first.receive()->body.size() == 300'000U);
    BOOST_TEST(broker.becomes_true([&] { return broker.arena->used(Share::leases) == 0; }));
    auto third = broker.connect();
    BOOST_TEST(third.ask("GET", "/v1/large-secret?300000")->body.size() == 300'000U);
}

BOOST_AUTO_TEST_CASE(slow_readers_of_one_uid_keep_so_much_text_at_most) {
    // 8 MiB beside what the kernel holds; the first may have more than that
    const auto ask = [&](SocketClient& client, std::size_t size) {
        client.send(request_text("GET", "/v1/large?" + std::to_string(size)) +
                    request_text("POST", "/v1/mark", "next"));
    };
    auto first = broker.connect();
    ask(first, 10'000'000);
    BOOST_TEST(broker.has_connections(1));
    auto refused = broker.connect();
    BOOST_TEST(broker.has_connections(2));
    ask(refused, 1'000'000);
    BOOST_TEST(broker.has_connections(1));
    BOOST_TEST(!refused.receive().has_value()); // it was cut off in the middle
    auto quick = broker.connect();              // what the kernel takes at once is answered
    BOOST_TEST(quick.ask("GET", "/v1/large?50000")->body.size() == 50'000U);
    BOOST_TEST(quick.ask("GET", "/v1/large-secret?300000")->body.size() == 300'000U);
    quick.close();
    first.close();
    BOOST_TEST(broker.has_connections(0));

    std::vector<SocketClient> some;
    for (int i = 0; i < 6; ++i) {
        some.push_back(broker.connect());
        ask(some.back(), 3'500'000);
    }
    BOOST_TEST(broker.has_connections(2)); // of 6
    std::size_t whole = 0;
    for (auto& client : some) {
        const auto answer = client.receive();
        if (answer) whole += answer->body.size();
    }
    BOOST_TEST(whole == 7'000'000U);
    BOOST_TEST(broker.becomes_true([&] { return broker.handled.size() == 2; })); // what was sent behind came after it
    BOOST_TEST(broker.connect().ask("GET", "/v1/large?9000000")->body.size() == 9'000'000U);
}

BOOST_AUTO_TEST_CASE(a_header_can_not_be_forged_through_a_value) {
    auto client = broker.connect();
    client.send(request_text("POST", "/v1/later"));
    BOOST_TEST(broker.becomes_true([&] { return broker.waiting.size() == 1; }));
    broker.on_loop([&] {
        broker.waiting[0].answer({.status = 201, .location = "/x\r\nSet-Cookie: a"});
        broker.waiting.clear();
    });
    const auto response = client.receive();
    BOOST_TEST(response->status == 201U);
    BOOST_TEST(response->header("location") == "");
    BOOST_TEST(response->header("set-cookie") == "");
}

BOOST_AUTO_TEST_CASE(between_two_leases_the_machinery_allocates_nothing) {
    auto client = broker.connect(api::Door::lease);
    for (int i = 0; i < 300; ++i) {
        const auto response = client.ask("POST", "/v1/leases", R"({"credential":"c"})",
                                         "Authorization: Bearer clg_0123456789012345678901234567890123456789\r\n"
                                         "Idempotency-Key: 01234567890123456789012345\r\n");
        BOOST_REQUIRE(response->status == 201U);
    }
    broker.on_loop([&] {
        const auto& seen = broker.allocations_seen;
        // The list of sightings itself grows now and then, but not between these.
        BOOST_TEST(seen[299] - seen[260] == 0U);
    });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
