#define BOOST_TEST_DYN_LINK
#include "broker_stand_in.hpp"
#include "support/event_reader.hpp"
#include "wire/limits.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace credlease;
using test::BrokerStandIn;
using test::EventReader;
using namespace std::chrono_literals;
namespace limits = wire::limits;

std::shared_ptr<const std::string> event(std::size_t number, std::size_t size = 0) {
    return std::make_shared<const std::string>("id: " + std::to_string(number) + "\ndata: " + std::string(size, 'x') +
                                               "{}\n\n");
}

struct Fixture {
    BrokerStandIn broker{api::Listener::Options{.listeners_per_uid = 3}};

    [[nodiscard]] EventReader listen(bool reads = true) {
        const auto before = broker.on_loop([&] { return broker.streams.size(); });
        EventReader reader(broker.lease_path, {}, reads);
        BOOST_TEST(broker.becomes_true([&] { return broker.streams.size() == before + 1; }));
        return reader;
    }
    bool write(std::size_t stream, std::size_t number, std::size_t size = 0) {
        return broker.on_loop([&] { return broker.streams[stream]->write(event(number, size)); });
    }
    /// Until it is dropped, or has been sent far more than anyone may leave unread.
    bool is_dropped(std::size_t stream) {
        for (std::size_t i = 0; i < 4096; ++i) {
            if (!write(stream, i, 1000)) return true;
        }
        return false;
    }
};

BOOST_FIXTURE_TEST_SUITE(streams, Fixture)

BOOST_AUTO_TEST_CASE(a_listener_is_sent_all_in_order_and_reads_on_for_ever) {
    auto reader = listen();
    BOOST_TEST(reader.head().find("Content-Type: text/event-stream\r\n") != std::string::npos);
    BOOST_TEST(reader.head().find("Cache-Control: no-store\r\n") != std::string::npos);
    BOOST_TEST(reader.head().find("Content-Length") == std::string::npos);
    for (std::size_t i = 0; i < 600; ++i) {
        write(0, i, 1000);
        if (i % 100 != 99) continue; // a hundred are more than one turn sends, and fewer than may be unread
        for (std::size_t read = i - 99; read <= i; ++read) {
            const auto next = reader.next();
            BOOST_REQUIRE(next.has_value());
            BOOST_TEST(next->id == std::to_string(read));
        }
    }
    broker.advance(limits::request_time + limits::reply_time);
    BOOST_TEST(write(0, 300));
    BOOST_TEST(reader.next().has_value());
}

BOOST_AUTO_TEST_CASE(a_comment_is_sent_every_15_seconds_and_nothing_is_planned_without_listeners) {
    auto reader = listen();
    broker.advance(limits::event_comment - 1s);
    BOOST_TEST(!reader.next(50ms).has_value());
    BOOST_TEST(reader.comments() == 0U);
    for (std::size_t i = 1; i <= 3; ++i) {
        broker.advance(i == 1 ? 1s : limits::event_comment);
        BOOST_TEST(!reader.next(50ms).has_value());
        BOOST_TEST(reader.comments() == i);
    }
}

BOOST_AUTO_TEST_CASE(a_listener_that_does_not_read_is_dropped_and_the_others_hear_on) {
    auto reader = listen();
    auto deaf = listen(false);
    BOOST_TEST(is_dropped(1));
    BOOST_TEST(broker.has_connections(1));
    BOOST_TEST(write(0, 1));
    BOOST_TEST(reader.next().has_value());
    BOOST_TEST(broker.on_loop([&] { return broker.left; }) == 0U); // who writes was told
}

BOOST_AUTO_TEST_CASE(that_a_listener_has_left_is_told_once) {
    auto reader = listen();
    reader.close();
    BOOST_TEST(broker.becomes_true([&] { return broker.left == 1; }));
    BOOST_TEST(!write(0, 1));
    BOOST_TEST(broker.has_connections(0));
    BOOST_TEST(broker.on_loop([&] { return broker.left; }) == 1U);
}

BOOST_AUTO_TEST_CASE(a_stream_ends_once_all_is_sent) {
    auto reader = listen();
    broker.on_loop([&] {
        broker.streams[0]->write(event(1));
        broker.streams.clear();
    });
    BOOST_TEST(reader.next().has_value());
    BOOST_TEST(reader.ends());
    BOOST_TEST(broker.on_loop([&] { return broker.left; }) == 0U);
}

BOOST_AUTO_TEST_CASE(a_stop_ends_streams_and_waits_no_longer_than_it_may_for_the_deaf) {
    auto reader = listen();
    auto deaf = listen(false);
    for (std::size_t i = 0; i < 220 && write(1, i, 1000); ++i) {
    }
    bool is_done = false;
    broker.on_loop([&] { broker.listener().stop(broker.clock.boot() + 1s, [&] { is_done = true; }); });
    BOOST_TEST(reader.ends());
    broker.advance(1s);
    BOOST_TEST(broker.becomes_true([&] { return is_done; }));
}

BOOST_AUTO_TEST_CASE(a_user_has_no_more_listeners_than_it_may) {
    auto first = listen();
    auto second = listen();
    auto third = listen();
    EventReader fourth(broker.admin_path);
    BOOST_TEST(fourth.status() == 429U);
    BOOST_TEST(broker.connect().ask("GET", "/v1/status").has_value());
    second.close();
    BOOST_TEST(broker.becomes_true([&] { return broker.left == 1; }));
    BOOST_TEST(EventReader(broker.admin_path).status() == 200U);
}

BOOST_AUTO_TEST_CASE(what_a_listener_sends_is_ignored_and_too_much_of_it_ends_the_stream) {
    auto client = broker.connect();
    client.send(test::request_text("GET", "/v1/events") + test::request_text("POST", "/v1/mark", "ahead"));
    BOOST_TEST(broker.becomes_true([&] { return broker.streams.size() == 1; }));
    client.send(test::request_text("POST", "/v1/mark", "behind"));
    BOOST_TEST(write(0, 1));
    const std::string much(64 * 1024, 'x');
    for (int i = 0; i < 64 && client.send(much); ++i) {
    }
    BOOST_TEST(broker.has_connections(0));
    BOOST_TEST(broker.on_loop([&] { return broker.handled.empty(); }));
}

BOOST_AUTO_TEST_CASE(a_stream_ends_with_its_process_though_a_child_holds_the_socket) {
    const auto parent = ::fork();
    if (parent == 0) {
        EventReader reader(broker.lease_path);
        if (::fork() == 0) {
            (void)reader.ends(20s);
            ::_exit(0);
        }
        ::_exit(reader.status() == 200 ? 0 : 1);
    }
    int status = 1;
    ::waitpid(parent, &status, 0);
    BOOST_TEST(status == 0);
    BOOST_TEST(broker.becomes_true([&] { return broker.left == 1; }));
    BOOST_TEST(broker.has_connections(0));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
