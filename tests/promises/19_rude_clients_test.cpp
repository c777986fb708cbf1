#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"
#include "support/daemon/rude_client.hpp"
#include "support/daemon/steady_worker.hpp"
#include "support/in_child.hpp"
#include "support/socket_client.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <fstream>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;
using test::request_text;
using test::SocketClient;

namespace {

constexpr unsigned worker_uid = 65533;
constexpr unsigned rude_uid = 65534;
constexpr auto config = R"([sockets]
lease_mode = "0666"
[[worker]]
name = "steady"
uid = 65533
workspace = "default"
[[worker]]
name = "self"
uid = 0
workspace = "default"
[limits]
connections_per_uid = 40
)";
constexpr int connections_per_uid = 40;
constexpr int fellows = 36; ///< connections beside a worker of the same uid

using Life = std::function<void(const std::function<void()>& under_way)>;

std::string as_grant(const std::string& grant) {
    return grant.empty() ? std::string() : "Authorization: Bearer " + grant + "\r\n";
}

std::vector<SocketClient> connect(const std::filesystem::path& door, int count) {
    std::vector<SocketClient> clients;
    for (int i = 0; i < count; ++i) clients.emplace_back(door);
    return clients;
}

/// Requests as fast as they are answered, several ahead on each of many connections: each has a request of its own.
Life flood(const std::filesystem::path& door, const std::vector<std::string>& requests) {
    return [=](const auto& under_way) {
        constexpr int ahead = 8;
        auto clients = connect(door, static_cast<int>(requests.size()));
        for (bool first = true;; first = false) {
            for (std::size_t i = 0; i < clients.size(); ++i) {
                for (int k = 0; k < ahead; ++k) clients[i].send(requests[i]);
            }
            for (auto& client : clients) {
                for (int i = 0; i < ahead; ++i) (void)client.receive();
            }
            if (first) under_way();
        }
    };
}

Life flood(const std::filesystem::path& door, const std::string& request) {
    return flood(door, std::vector<std::string>(16, request));
}

/// The same text on every connection, and then nothing: neither the rest nor a look at the answers.
Life stall(const std::filesystem::path& door, const std::string& text, int count = connections_per_uid) {
    return [=](const auto& under_way) {
        auto clients = connect(door, count);
        for (auto& client : clients) client.send(text);
        under_way();
        ::pause();
    };
}

/// A byte now and then on every connection.
Life trickle(const std::filesystem::path& door) {
    return [=](const auto& under_way) {
        const auto text = request_text("POST", "/v1/leases", std::string(4000, ' '));
        auto clients = connect(door, connections_per_uid);
        for (std::size_t i = 0;; ++i) {
            for (auto& client : clients) client.send(text.substr(i % text.size(), 1));
            if (i == 0) under_way();
            std::this_thread::sleep_for(1ms);
        }
    };
}

/// Connects and leaves, over and over.
Life come_and_go(const std::filesystem::path& door) {
    return [=](const auto& under_way) {
        for (bool first = true;; first = false) {
            auto clients = connect(door, connections_per_uid + 8);
            if (first) under_way();
        }
    };
}

/// Before whatever else runs on this machine: what is measured is the broker. Its loop has a CPU of its own; the
/// worker, and the thread that writes the log, don't wait until the scheduler takes them from it.
void put_first(pid_t broker) {
    keep_to_cpu(broker, 0);
    for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(broker) + "/task")) {
        const auto id = static_cast<id_t>(std::stoul(task.path().filename()));
        if (::setpriority(PRIO_PROCESS, id, -20) != 0) BOOST_TEST_MESSAGE("the broker keeps its usual priority");
    }
}

/// The most memory that a process has had, in KiB.
std::size_t memory_peak(pid_t process) {
    std::ifstream status("/proc/" + std::to_string(process) + "/status");
    for (std::string name; status >> name;) {
        std::size_t size = 0;
        if (name == "VmHWM:" && status >> size) return size;
    }
    return 0;
}

struct Fixture {
    Daemon daemon{{.config = config, .open_to_others = true}};
    Client client{client_of(daemon)};
    std::string credential;
    std::optional<Lease> kept;
    std::ptrdiff_t open_before = 0;
    std::optional<SteadyWorker> worker;

    Fixture() {
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
        credential = store_token(client, "wanted", "tok_wanted_12345678");
        auto lease = client.lease({.credential = "wanted"});
        BOOST_REQUIRE(lease.ok());
        kept.emplace(std::move(*lease));
        put_first(daemon.pid());
        worker.emplace(daemon, worker_uid, "wanted");
        open_before = open_now();
    }
    /// Nothing is lost, and nothing is left behind.
    ~Fixture() {
        BOOST_TEST(becomes_true([&] { return open_now() == open_before; }),
                   "the broker holds " << open_now() << " descriptors, before " << open_before);
        BOOST_TEST(kept->renew().ok());
        BOOST_TEST(ask(client, "GET", "/v1/audit/verify").json.at("ok").as_bool());
        worker.reset();
        BOOST_TEST(daemon.stop().value_or(-1) == 0);
    }

    [[nodiscard]] std::ptrdiff_t open_now() const {
        return std::distance(std::filesystem::directory_iterator("/proc/" + std::to_string(daemon.pid()) + "/fd"), {});
    }
    template <class Claim> static bool becomes_true(Claim claim) {
        for (int i = 0; i < 500; ++i) {
            if (claim()) return true;
            std::this_thread::sleep_for(10ms);
        }
        return claim();
    }

    /// The broker's p99 beside the rude client, as a multiple of the idle one right before: the median of some rounds.
    double slowed_by(const std::string& what, const Life& life) {
        constexpr int rounds = 5;
        std::vector<double> ratios;
        for (int round = 0; round < rounds; ++round) {
            const auto idle = worker->work_for(400ms);
            const RudeClient rude(rude_uid, life);
            BOOST_REQUIRE(rude.is_under_way());
            const auto served = worker->work_for(400ms);
            BOOST_TEST(served.failures == 0U);
            BOOST_TEST_MESSAGE(what << ": p99 " << served.p99.count() << " us, idle " << idle.p99.count() << " us");
            ratios.push_back(static_cast<double>(served.p99.count()) / static_cast<double>(idle.p99.count()));
        }
        std::ranges::nth_element(ratios, ratios.begin() + rounds / 2);
        return ratios[rounds / 2];
    }

    /// What the machine does besides disturbs a measurement now and then; what is broken fails every time.
    void is_served_beside(const std::string& what, const Life& life) {
        constexpr double most = 3;
        constexpr int attempts = 3;
        double slowed = most + 1;
        for (int i = 0; i < attempts && slowed > most; ++i) slowed = slowed_by(what, life);
        BOOST_TEST(slowed <= most, what << ": p99 is " << slowed << " times the idle one");
    }
};

/// Whether a connection is answered `overloaded`, with a time to come again, and closed.
bool is_turned_away(SocketClient& client) {
    const auto answer = client.receive();
    return answer && answer->status == 503 && answer->body.contains(R"("code":"overloaded")") &&
           !answer->header("retry-after").empty() && client.is_closed_by_peer();
}

/// A place becomes free a moment after its connection has gone.
bool becomes_served(const std::filesystem::path& door) {
    return Fixture::becomes_true([&] {
        SocketClient client(door);
        const auto answer = client.ask("GET", "/v1/status");
        return answer && answer->status == 200;
    });
}

bool only_root_can() {
    if (::geteuid() == 0) return true;
    BOOST_TEST_MESSAGE("skipped: only root takes other uids");
    return false;
}

/// A body of 16 KiB of which half comes.
std::string half_a_body() { return request_text("POST", "/v1/leases", std::string(16 * 1024, ' ')).substr(0, 8000); }

} // namespace

BOOST_AUTO_TEST_SUITE(rude_clients)

BOOST_AUTO_TEST_CASE(a_worker_is_served_on_time_beside_any_one_rude_client) {
    if (!only_root_can()) return;
    Fixture house;
    const auto door = house.daemon.lease_socket();
    const auto grant = mint(house.client, house.credential, R"(,"uid":null)");
    const std::string body = R"({"credential":"wanted","bind":"none","ttl":"1s"})";
    house.is_served_beside("a flood of strangers", flood(door, request_text("POST", "/v1/leases", body)));
    house.is_served_beside("a flood with a grant",
                           flood(door, request_text("POST", "/v1/leases", body, as_grant(grant))));
    house.is_served_beside("a flood of nonsense", flood(door, request_text("GET", "/v1/nothing")));
    house.is_served_beside("half-open requests", stall(door, "POST /v1/leases HTTP/1.1\r\nHost: x\r\nX: "));
    house.is_served_beside("half bodies", stall(door, half_a_body()));
    std::string many;
    for (int i = 0; i < 100; ++i) many += request_text("GET", "/v1/leases", "", as_grant(grant));
    house.is_served_beside("answers that nobody reads", stall(door, many));
    house.is_served_beside("bytes one by one", trickle(door));
    house.is_served_beside("coming and going", come_and_go(door));
}

BOOST_AUTO_TEST_CASE(a_grant_is_served_on_time_beside_whatever_else_its_uid_does) {
    if (!only_root_can()) return;
    Fixture house;
    const auto door = house.daemon.lease_socket();
    const auto a_grant = [&] { return mint(house.client, house.credential, R"(,"uid":65534)"); };
    house.worker.emplace(house.daemon, rude_uid, "wanted", a_grant());
    const std::string body = R"({"credential":"wanted","bind":"none","ttl":"1s"})";
    const auto with = [&](const std::string& grant) {
        return request_text("POST", "/v1/leases", body, as_grant(grant));
    };
    std::vector<std::string> one;
    std::vector<std::string> made_up;
    const auto grant = a_grant();
    for (int i = 0; i < fellows; ++i) {
        one.push_back(with(grant));
        made_up.push_back(with("clg_" + std::to_string(i)));
    }
    house.is_served_beside("another grant's flood", flood(door, one));
    house.is_served_beside("a flood of made-up grants", flood(door, made_up));
}

BOOST_AUTO_TEST_CASE(one_uid_has_so_many_connections_and_the_others_theirs) {
    if (!only_root_can()) return;
    Fixture house;
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
    if (!only_root_can()) return;
    Fixture house;
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
    BOOST_TEST(Fixture::becomes_true([&] { return sends_half(1001) == 0 && sends_half(1005) == 0; }));
}

BOOST_AUTO_TEST_CASE(answers_that_one_uid_does_not_read_take_their_part_of_the_memory_and_no_more) {
    if (!only_root_can()) return;
    Fixture house;
    const std::string members = R"(","service":"http-bearer","scope":{"kind":"workspace","workspace":"default"},)"
                                R"("fields":{"token":"tok_wanted_12345678"},"notes":")" +
                                std::string(4000, 'n') + "\"}";
    for (int i = 0; i < 400; ++i) {
        const auto name = R"({"name":"many)" + std::to_string(i);
        BOOST_REQUIRE(ask(house.client, "POST", "/v1/credentials", name + members).status == 201U);
    }
    house.open_before = house.open_now(); // the store has more files now
    const auto minted = ask(house.client, "POST", "/v1/grants",
                            R"({"workspace":"default","workflow":"nightly","all":true,"ttl":"1h","uid":null})");
    BOOST_REQUIRE(minted.status == 201U);
    const std::string grant(minted.json.at("grant").as_string());
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
    if (!only_root_can()) return;
    Fixture house;
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
    BOOST_TEST(Fixture::becomes_true([&] { return house.open_now() == house.open_before; }));
    BOOST_TEST(as_uid(rude_uid, [&] { return becomes_served(door) ? 0 : 1; }) == 0);
    BOOST_REQUIRE(::prlimit(house.daemon.pid(), RLIMIT_NOFILE, &before, nullptr) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
