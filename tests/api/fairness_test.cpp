#define BOOST_TEST_DYN_LINK
#include "broker_stand_in.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>

namespace {

using namespace credlease;
using test::BrokerStandIn;
using test::request_text;
using test::SocketClient;

std::string as_grant(const std::string& grant) { return "Authorization: Bearer " + grant + "\r\n"; }

std::string mark(const std::string& text, const std::string& grant) {
    return request_text("POST", "/v1/mark", text, as_grant(grant));
}

/// Connections that the broker knows by their grant already.
std::vector<SocketClient> connect(const BrokerStandIn& broker, std::size_t count, const std::string& grant) {
    std::vector<SocketClient> clients;
    for (std::size_t i = 0; i < count; ++i) {
        clients.push_back(broker.connect());
        BOOST_REQUIRE(clients.back().ask("GET", "/v1/status", "", as_grant(grant)).has_value());
    }
    return clients;
}

/// Counts what is handled in each turn.
struct CountedTurns {
    std::size_t most_in_a_turn = 0;
    std::size_t handled_before = 0;
    BrokerStandIn broker{{.end_of_turn = [this] {
        most_in_a_turn = std::max(most_in_a_turn, broker.handled.size() - handled_before);
        handled_before = broker.handled.size();
    }}};

    /// All of them at once. The most that was handled in a turn.
    std::size_t send_at_once(std::vector<SocketClient>& clients, const std::vector<std::string>& texts) {
        broker.on_loop([&] {
            broker.handled.clear();
            most_in_a_turn = handled_before = 0;
            for (std::size_t i = 0; i < clients.size(); ++i) clients[i].send(texts[i]);
        });
        BOOST_TEST(broker.becomes_true([&] { return broker.handled.size() == clients.size(); }));
        for (auto& client : clients) BOOST_REQUIRE(client.receive().has_value());
        return broker.on_loop([&] { return most_in_a_turn; });
    }
};

std::size_t place_of(const std::vector<std::string>& handled, std::string_view text) {
    return static_cast<std::size_t>(std::ranges::find(handled, text) - handled.begin());
}

BOOST_AUTO_TEST_SUITE(fairness)

BOOST_AUTO_TEST_CASE(a_crowd_of_one_grant_does_not_come_before_another_grant) {
    BrokerStandIn broker;
    auto crowd = connect(broker, 100, "clg_crowd");
    auto quiet = connect(broker, 1, "clg_quiet");
    broker.on_loop([&] { // while the loop stands still all of them send, the quiet one last
        for (auto& client : crowd) client.send(mark("crowd", "clg_crowd"));
        quiet[0].send(mark("quiet", "clg_quiet"));
    });
    BOOST_TEST(broker.becomes_true([&] { return broker.handled.size() == 101; }));
    BOOST_TEST(place_of(broker.on_loop([&] { return broker.handled; }), "quiet") <= 2U);
}

BOOST_AUTO_TEST_CASE(grants_that_are_made_up_are_one_crowd) {
    BrokerStandIn broker;
    constexpr std::size_t count = 100;
    const auto knock = [](std::size_t i) {
        return request_text("POST", "/v1/stranger", "crowd", as_grant("clg_" + std::to_string(i)));
    };
    auto crowd = connect(broker, count, "clg_crowd");
    auto quiet = connect(broker, 1, "clg_quiet");
    for (std::size_t i = 0; i < count; ++i) {
        crowd[i].send(knock(i));
        BOOST_REQUIRE(crowd[i].receive()->status == 401U);
    }
    broker.on_loop([&] {
        broker.handled.clear();
        for (std::size_t i = 0; i < count; ++i) crowd[i].send(knock(i));
        quiet[0].send(mark("quiet", "clg_quiet"));
    });
    BOOST_TEST(broker.becomes_true([&] { return broker.handled.size() == count + 1; }));
    BOOST_TEST(place_of(broker.on_loop([&] { return broker.handled; }), "quiet") <= 2U);
}

BOOST_AUTO_TEST_CASE(what_one_connection_sends_ahead_does_not_come_before_others) {
    BrokerStandIn broker;
    auto greedy = connect(broker, 1, "clg_greedy");
    auto quiet = connect(broker, 1, "clg_quiet");
    broker.on_loop([&] {
        std::string text;
        for (int i = 0; i < 60; ++i) text += mark("greedy", "clg_greedy");
        greedy[0].send(text);
        quiet[0].send(mark("quiet", "clg_quiet"));
    });
    BOOST_TEST(broker.becomes_true([&] { return broker.handled.size() == 61; }));
    BOOST_TEST(place_of(broker.on_loop([&] { return broker.handled; }), "quiet") <= 2U);
}

BOOST_AUTO_TEST_CASE(within_one_grant_every_connection_gets_its_turn_before_any_has_another) {
    BrokerStandIn broker;
    constexpr std::size_t count = 80, each = 10;
    auto clients = connect(broker, count, "clg_same");
    broker.on_loop([&] {
        for (std::size_t i = 0; i < count; ++i) {
            std::string text;
            for (std::size_t k = 0; k < each; ++k) text += mark(std::to_string(i), "clg_same");
            clients[i].send(text);
        }
    });
    BOOST_REQUIRE(broker.becomes_true([&] { return broker.handled.size() == each * count; }));
    const auto handled = broker.on_loop([&] { return broker.handled; });
    for (std::size_t round = 0; round < each; ++round) {
        const auto begin = handled.begin() + static_cast<std::ptrdiff_t>(round * count);
        const std::set<std::string> had_theirs(begin, begin + count);
        BOOST_TEST(had_theirs.size() == count, "in round " << round << " " << had_theirs.size() << " had their turn");
    }
}

BOOST_AUTO_TEST_CASE(a_turn_is_bounded_however_many_are_ready_and_whatever_their_grants) {
    CountedTurns house;
    std::vector<SocketClient> clients;
    std::vector<std::string> of_one_grant;
    std::vector<std::string> of_many;
    for (int i = 0; i < 200; ++i) {
        const auto own = "clg_" + std::to_string(i);
        clients.push_back(std::move(connect(house.broker, 1, own)[0]));
        of_one_grant.push_back(mark("x", "clg_many"));
        of_many.push_back(mark("x", own));
    }
    BOOST_TEST(house.send_at_once(clients, of_many) <= 16U);
    BOOST_TEST(house.send_at_once(clients, of_one_grant) <= 16U);
}

BOOST_AUTO_TEST_CASE(while_another_grant_is_about_a_crowd_has_a_small_part_of_each_turn) {
    CountedTurns house;
    auto crowd = connect(house.broker, 100, "clg_crowd");
    const std::vector<std::string> texts(crowd.size(), mark("x", "clg_crowd"));
    for (int i = 0; i < 300; ++i) BOOST_REQUIRE(crowd[0].ask("GET", "/v1/status", "", as_grant("clg_crowd")));
    BOOST_TEST(house.send_at_once(crowd, texts) == 16U);

    const auto quiet = connect(house.broker, 1, "clg_quiet");
    BOOST_TEST(house.send_at_once(crowd, texts) == 6U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
