#define BOOST_TEST_DYN_LINK
#include "rude_house.hpp"
#include "support/in_child.hpp"

#include <fstream>
#include <sys/resource.h>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;
using test::request_text;
using test::SocketClient;

namespace {

/// The most memory that a process has had, in KiB.
std::size_t memory_peak(pid_t process) {
    std::ifstream status("/proc/" + std::to_string(process) + "/status");
    for (std::string name; status >> name;) {
        std::size_t size = 0;
        if (name == "VmHWM:" && status >> size) return size;
    }
    return 0;
}

/// Whether a connection is answered `overloaded`, with a time to come again, and closed.
bool is_turned_away(SocketClient& client) {
    const auto answer = client.receive();
    return answer && answer->status == 503 && answer->body.contains(R"("code":"overloaded")") &&
           !answer->header("retry-after").empty() && client.is_closed_by_peer();
}

/// A place becomes free a moment after its connection has gone.
bool becomes_served(const std::filesystem::path& door) {
    return becomes_true([&] {
        SocketClient client(door);
        const auto answer = client.ask("GET", "/v1/status");
        return answer && answer->status == 200;
    });
}

} // namespace

BOOST_AUTO_TEST_SUITE(rude_clients)

BOOST_AUTO_TEST_CASE(one_uid_has_so_many_connections_and_the_others_theirs) {
    if (!can_take_other_uids()) return;
    RudeHouse house;
    const auto door = house.daemon.lease_socket();
    house.worker->begin();
    const auto verdict = as_uid(rude_uid, [&] {
        auto clients = connect(door, connections_per_uid);
        for (auto& client : clients) {
            if (const auto answer = client.ask("GET", "/v1/status"); !answer || answer->status != 200) return 1;
        }
        SocketClient one_more(door);
        if (!is_turned_away(one_more)) return 2;
        const auto by_another = [&] {
            SocketClient another(door);
            return is_turned_away(another) ? 0 : 1;
        };
        if (test::in_child(by_another) != 0) return 3; // another process of that uid is no way around it
        clients.pop_back();
        return becomes_served(door) ? 0 : 4;
    });
    BOOST_TEST(verdict == 0);
    BOOST_TEST(house.worker->end().failures == 0U);
}

BOOST_AUTO_TEST_CASE(bodies_take_their_part_of_the_arena_and_no_more) {
    if (!can_take_other_uids()) return;
    RudeHouse house;
    const auto door = house.daemon.lease_socket();
    const auto sends_half = [&](unsigned uid) {
        return as_uid(uid, [&] {
            SocketClient client(door);
            client.send(half_a_body());
            if (client.is_silent(100ms)) return 0; // it is waited for the other half
            return is_turned_away(client) ? 1 : 2;
        });
    };
    constexpr int enough = 20; // more than a uid has room for, and fewer than it has connections
    house.worker->begin();
    BOOST_TEST(sends_half(1001) == 0);
    {
        const RudeClient one(1001, stall(door, half_a_body(), enough));
        BOOST_REQUIRE(one.is_under_way());
        BOOST_TEST(sends_half(1001) == 1); // a sixteenth of the arena is full
        BOOST_TEST(sends_half(1005) == 0); // and no other uid's
        std::vector<RudeClient> more;
        for (const unsigned uid : {1002U, 1003U, 1004U}) more.emplace_back(uid, stall(door, half_a_body(), enough));
        BOOST_TEST(sends_half(1005) == 1); // a quarter is full
    }
    BOOST_TEST(house.worker->end().failures == 0U);
    BOOST_TEST(becomes_true([&] { return sends_half(1001) == 0 && sends_half(1005) == 0; }));
}

BOOST_AUTO_TEST_CASE(answers_that_one_uid_does_not_read_take_their_part_of_the_memory_and_no_more) {
    if (!can_take_other_uids()) return;
    RudeHouse house;
    const auto grant = house.store_many(400);
    const auto list = request_text("GET", "/v1/credentials?limit=500", "", as_grant(grant));
    BOOST_REQUIRE(SocketClient(house.daemon.lease_socket())
                      .ask("GET", "/v1/credentials?limit=500", "", as_grant(grant))
                      ->body.size() > 1'600'000U);

    constexpr std::size_t most = 24U * 1024; // KiB: 8 MiB that are kept, and answers on their way
    const auto before = memory_peak(house.daemon.pid());
    house.worker->begin();
    {
        const RudeClient rude(rude_uid, stall(house.daemon.lease_socket(), list + list));
        BOOST_REQUIRE(rude.is_under_way());
        std::this_thread::sleep_for(1s);
    }
    BOOST_TEST(house.worker->end().failures == 0U);
    const auto grown = memory_peak(house.daemon.pid()) - before;
    BOOST_TEST_MESSAGE("unread answers took " << grown << " KiB");
    BOOST_TEST(grown < most); // of 60 MiB
}

BOOST_AUTO_TEST_CASE(without_descriptors_who_is_there_is_served_and_newcomers_are_turned_away) {
    if (!can_take_other_uids()) return;
    RudeHouse house;
    const auto door = house.daemon.lease_socket();
    rlimit before{};
    const auto few = static_cast<rlim_t>(house.open_now() + 24);
    BOOST_REQUIRE(::prlimit(house.daemon.pid(), RLIMIT_NOFILE, nullptr, &before) == 0);
    const rlimit limit{.rlim_cur = few, .rlim_max = before.rlim_max};
    BOOST_REQUIRE(::prlimit(house.daemon.pid(), RLIMIT_NOFILE, &limit, nullptr) == 0);
    house.worker->begin();
    const auto verdict = as_uid(rude_uid, [&] {
        auto clients = connect(door, connections_per_uid);
        int served = 0;
        for (auto& client : clients) {
            const auto answer = client.ask("GET", "/v1/status");
            if (!answer) return 1;
            if (answer->status == 200) ++served;
            if (answer->status != 200 && !client.is_closed_by_peer()) return 2;
        }
        for (auto& client : clients) { // who was served is served on
            if (const auto answer = client.ask("GET", "/v1/status"); answer && answer->status == 200) --served;
        }
        if (served != 0) return 3;
        SocketClient one_more(door);
        return is_turned_away(one_more) ? 0 : 4;
    });
    BOOST_TEST(verdict == 0);
    const auto served = house.worker->end();
    BOOST_TEST(served.failures == 0U);
    BOOST_TEST(served.leases > 0U);
    BOOST_TEST(becomes_true([&] { return house.open_now() == house.open_before; }));
    BOOST_TEST(as_uid(rude_uid, [&] { return becomes_served(door) ? 0 : 1; }) == 0);
    BOOST_REQUIRE(::prlimit(house.daemon.pid(), RLIMIT_NOFILE, &before, nullptr) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
