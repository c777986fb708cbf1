#define BOOST_TEST_DYN_LINK
#include "broker_stand_in.hpp"
#include "support/in_child.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace credlease;
using api::Door;
using secret::Share;
using test::BrokerStandIn;
using test::in_child;
using test::request_text;
using test::SocketClient;
using namespace std::chrono_literals;

bool write_plainly(int socket, const std::string& text) {
    return ::write(socket, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

BOOST_AUTO_TEST_SUITE(peers)

BOOST_AUTO_TEST_CASE(a_process_that_inherited_a_connection_is_a_stranger) {
    BrokerStandIn broker;
    auto client = broker.connect();
    BOOST_TEST(client.ask("GET", "/v1/status")->status == 200U);
    const int wrote =
        in_child([&] { return write_plainly(client.number(), request_text("POST", "/v1/mark", "not me")) ? 0 : 1; });
    BOOST_TEST(wrote == 0);
    const auto response = client.receive();
    BOOST_REQUIRE(response.has_value());
    BOOST_TEST(response->status == 401U);
    BOOST_TEST(response->body.find("\"code\":\"unauthenticated\"") != std::string::npos);
    BOOST_TEST(client.is_closed_by_peer());
    BOOST_TEST(broker.on_loop([&] { return broker.handled.empty(); }));
    BOOST_TEST((broker.on_loop([&] { return broker.refused; }) == std::vector<std::string>{"unauthenticated"}));
    BOOST_TEST(broker.used(Share::bodies) == 16U * 1024);
}

BOOST_AUTO_TEST_CASE(a_stranger_can_not_finish_a_body) {
    BrokerStandIn broker;
    auto client = broker.connect();
    const std::string text = request_text("POST", "/v1/mark", "0123456789");
    client.send(text.substr(0, text.size() - 4));
    BOOST_TEST(broker.becomes_true([&] { return broker.arena->used(Share::bodies) > 16U * 1024; }));
    in_child([&] { return write_plainly(client.number(), "6789") ? 0 : 1; });
    BOOST_TEST(client.receive()->status == 401U);
    BOOST_TEST(client.is_closed_by_peer());
    BOOST_TEST(broker.on_loop([&] { return broker.handled.empty(); }));
}

BOOST_AUTO_TEST_CASE(another_uid_on_a_passed_connection_is_a_stranger) {
    if (::getuid() != 0) return;
    BrokerStandIn broker;
    auto client = broker.connect();
    in_child([&] {
        if (::setuid(65534) != 0) return 1;
        return write_plainly(client.number(), request_text("POST", "/v1/mark", "not me")) ? 0 : 1;
    });
    BOOST_TEST(client.receive()->status == 401U);
    BOOST_TEST(client.is_closed_by_peer());
}

BOOST_AUTO_TEST_CASE(each_uid_has_its_own_number_of_connections) {
    BrokerStandIn broker({.connections_per_uid = 3});
    std::vector<SocketClient> clients;
    for (int i = 0; i < 3; ++i) clients.push_back(broker.connect());
    BOOST_TEST(broker.has_connections(3));
    auto one_more = broker.connect(Door::lease);
    const auto response = one_more.receive();
    BOOST_REQUIRE(response.has_value());
    BOOST_TEST(response->status == 503U);
    BOOST_TEST(response->header("retry-after") == "1");
    BOOST_TEST(one_more.is_closed_by_peer());
    BOOST_TEST((broker.on_loop([&] { return broker.refused; }) == std::vector<std::string>{"overloaded"}));

    if (::getuid() == 0) { // another uid has room of its own
        const int served = in_child([&] {
            if (::setuid(65534) != 0) return 1;
            auto other = broker.connect(Door::lease);
            const auto answer = other.ask("GET", "/v1/status");
            return answer && answer->status == 200 ? 0 : 2;
        });
        BOOST_TEST(served == 0);
    }
    for (auto& client : clients) BOOST_TEST(client.ask("GET", "/v1/status")->status == 200U);
    clients.pop_back();
    BOOST_TEST(broker.has_connections(2));
    BOOST_TEST(broker.connect().ask("GET", "/v1/status")->status == 200U);
    broker.on_loop([&] { broker.listener().set_connections_per_uid(10); });
    auto fourth = broker.connect();
    auto fifth = broker.connect();
    BOOST_TEST(fifth.ask("GET", "/v1/status")->status == 200U);
}

BOOST_AUTO_TEST_CASE(a_thousand_idle_connections_hold_no_arena_memory_and_delay_nobody) {
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    const rlimit many{.rlim_cur = std::min<rlim_t>(before.rlim_max, 8192), .rlim_max = before.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &many);
    {
        BrokerStandIn broker;
        std::vector<SocketClient> idle;
        for (int i = 0; i < 1000; ++i) {
            idle.push_back(broker.connect(i % 2 == 0 ? Door::lease : Door::admin));
            if (i % 100 == 0) BOOST_TEST(idle.back().ask("GET", "/v1/status")->status == 200U);
        }
        BOOST_TEST(broker.has_connections(1000));
        BOOST_TEST(broker.used(Share::bodies) == 16U * 1024);
        for (auto& client : idle) BOOST_REQUIRE(client.ask("POST", "/v1/leases", "{}")->status == 201U);
        BOOST_TEST(broker.used(Share::bodies) == 16U * 1024);
        BOOST_TEST(broker.used(Share::leases) == 0U);
        idle.clear();
        BOOST_TEST(broker.has_connections(0));
    }
    ::setrlimit(RLIMIT_NOFILE, &before);
}

/// In a process of its own: what can be opened is opened by clients, the rest must be turned away without a spin.
int exhaust_descriptors() {
    BrokerStandIn broker;
    auto client = broker.connect();
    if (client.ask("GET", "/v1/status")->status != 200) return 1;
    const auto open_now = std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
    const auto limit = static_cast<rlim_t>(open_now + 20);
    const rlimit few{.rlim_cur = limit, .rlim_max = limit};
    if (::setrlimit(RLIMIT_NOFILE, &few) != 0) return 2;

    std::vector<pid_t> crowd; // clients in processes of their own, so that only the broker's descriptors run out
    for (int i = 0; i < 8; ++i) {
        const pid_t child = ::fork();
        if (child == 0) {
            const auto gave_up = [] { ::_exit(9); };
            ::close_range(3, ~0U, 0); // the broker's own, which came along
            std::vector<SocketClient> clients;
            unsigned turned_away = 0;
            for (int k = 0; k < 5; ++k) {
                clients.push_back(broker.connect());
                const auto answer = clients.back().ask("GET", "/v1/status");
                if (!answer) gave_up();
                if (answer->status == 503 && clients.back().is_closed_by_peer()) {
                    ++turned_away;
                    clients.pop_back();
                }
            }
            ::sleep(1);
            ::_exit(turned_away > 0 ? 0 : 7);
        }
        crowd.push_back(child);
    }
    int turned_away = 0;
    for (const pid_t child : crowd) {
        int status = 0;
        ::waitpid(child, &status, 0);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) ++turned_away;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 9) return 3;  // a connection without any answer
        if (client.ask("GET", "/v1/status")->status != 200) return 4; // who was there is served on
    }
    if (turned_away == 0) return 5;
    if (!broker.has_connections(1)) return 6;
    return broker.connect().ask("GET", "/v1/status")->status == 200 ? 0 : 8;
}

BOOST_AUTO_TEST_CASE(without_descriptors_newcomers_are_turned_away_and_the_others_served) {
    BOOST_TEST(in_child(exhaust_descriptors) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
