#define BOOST_TEST_DYN_LINK
#include "broker_stand_in.hpp"

#include <boost/test/unit_test.hpp>

#include <system_error>

namespace {

using namespace credlease;
using test::BrokerStandIn;
using test::request_text;
using test::SocketClient;
using namespace std::chrono_literals;

struct Fixture {
    BrokerStandIn broker;
    bool is_done = false;

    void stop(std::chrono::milliseconds patience) {
        broker.on_loop([&] { broker.listener().stop(broker.clock.boot() + patience, [this] { is_done = true; }); });
    }
    bool becomes_done() {
        return broker.becomes_true([this] { return is_done; });
    }
};

BOOST_FIXTURE_TEST_SUITE(stopping, Fixture)

BOOST_AUTO_TEST_CASE(without_connections_it_is_done_at_once) {
    stop(10s);
    BOOST_TEST(becomes_done());
    BOOST_CHECK_THROW(SocketClient{broker.admin_path}, std::system_error);
}

BOOST_AUTO_TEST_CASE(idle_connections_are_closed_and_requests_under_way_answered) {
    auto idle = broker.connect();
    auto busy = broker.connect();
    auto half = broker.connect();
    const std::string text = request_text("POST", "/v1/mark", "half");
    busy.send(request_text("POST", "/v1/later"));
    half.send(text.substr(0, 30));
    BOOST_TEST(broker.becomes_true([&] { return broker.waiting.size() == 1; }));
    BOOST_TEST(broker.becomes_true([&] { return broker.arena->used(secret::Share::bodies) > 16U * 1024; }));
    BOOST_TEST(broker.has_connections(3));

    stop(10s);
    BOOST_TEST(idle.is_closed_by_peer());
    BOOST_TEST(!broker.on_loop([&] { return is_done; }));
    half.send(text.substr(30));
    const auto of_half = half.receive();
    BOOST_REQUIRE(of_half.has_value());
    BOOST_TEST(of_half->status == 200U);
    BOOST_TEST(of_half->header("connection") == "close");
    BOOST_TEST(half.is_closed_by_peer());
    broker.answer_later("last words");
    const auto of_busy = busy.receive();
    BOOST_REQUIRE(of_busy.has_value());
    BOOST_TEST(of_busy->body == "last words");
    BOOST_TEST(of_busy->header("connection") == "close");
    BOOST_TEST(busy.is_closed_by_peer());
    BOOST_TEST(becomes_done());
}

BOOST_AUTO_TEST_CASE(who_is_not_done_by_the_deadline_is_cut_off) {
    auto busy = broker.connect();
    busy.send(request_text("POST", "/v1/later"));
    BOOST_TEST(broker.becomes_true([&] { return broker.waiting.size() == 1; }));
    stop(5s);
    broker.advance(4999ms);
    BOOST_TEST(!broker.on_loop([&] { return is_done; }));
    broker.advance(1ms);
    BOOST_TEST(busy.is_closed_by_peer());
    BOOST_TEST(becomes_done());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
