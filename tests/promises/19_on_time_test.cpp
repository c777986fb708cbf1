#define BOOST_TEST_DYN_LINK
#include "rude_house.hpp"
#include "support/in_child.hpp"
#include "support/temporary_folder.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <memory>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;
using test::request_text;
using test::SocketClient;

namespace {

constexpr int fellows = 36; ///< connections beside a worker of the same uid

/// A listening socket behind which nothing is done: each that comes is closed. It has the broker's CPU.
class BareDoor {
  public:
    BareDoor() {
        const int listening = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
        path().string().copy(address.sun_path, sizeof address.sun_path - 1);
        BOOST_REQUIRE(::bind(listening, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        std::filesystem::permissions(folder_.path(), std::filesystem::perms::all);
        std::filesystem::permissions(path(), std::filesystem::perms::all);
        BOOST_REQUIRE(::listen(listening, SOMAXCONN) == 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            keep_to_cpu(0, 0);
            for (;;) ::close(::accept(listening, nullptr, nullptr));
        }
        ::close(listening);
    }
    ~BareDoor() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    BareDoor(const BareDoor&) = delete;
    BareDoor& operator=(const BareDoor&) = delete;

    [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "door"; }

  private:
    test::TemporaryFolder folder_;
    pid_t pid_ = 0;
};

using Served = SteadyWorker::Served;

/// Measures how long leases take beside rude clients, as multiples of what they take without.
struct OnTime : RudeHouse {
    /// So many rounds, each with a rude client of its own beside the worker; without one where there is no life.
    Served measure(const std::string& what, int rounds, const Life& life) {
        std::vector<Served> all;
        for (int round = 0; round < rounds; ++round) {
            const auto rude = life ? std::make_unique<RudeClient>(rude_uid, life) : nullptr;
            BOOST_REQUIRE(!rude || rude->is_under_way());
            all.push_back(worker->work_for(400ms));
            BOOST_TEST(all.back().failures == 0U);
            if (all.back().leases == 0) all.back().p99 = all.back().median = 400ms; // none in all that time
            BOOST_TEST_MESSAGE(what << ": p99 " << all.back().p99.count() << " us, median " << all.back().median.count()
                                    << " us");
        }
        return SteadyWorker::middle_of(all);
    }

    /// The larger of both ratios, p99 and median. What an earlier client has left to be done is done first: it would
    /// count as idle.
    double slowed_by(const std::string& what, const Life& life, const Life& idle_life) {
        std::this_thread::sleep_for(500ms);
        const auto idle = measure("idle", 3, idle_life);
        return measure(what, 5, life).slowed_from(idle);
    }

    /// What the machine does besides disturbs a measurement now and then; what is broken fails every time.
    void is_served_beside(const std::string& what, const Life& life, const Life& idle_life = {}) {
        constexpr double most = 3;
        constexpr int attempts = 5;
        double slowed = most + 1;
        for (int i = 0; i < attempts && slowed > most; ++i) slowed = slowed_by(what, life, idle_life);
        BOOST_TEST(slowed <= most, what << ": " << slowed << " times as slow as without");
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(on_time)

BOOST_AUTO_TEST_CASE(a_worker_is_served_on_time_beside_any_one_rude_client) {
    if (!can_take_other_uids()) return;
    OnTime house;
    const auto door = house.daemon.lease_socket();
    const auto grant = mint(house.client, house.credential, R"(,"uid":null)");
    const std::string body = R"({"credential":"wanted","bind":"none","ttl":"1s"})";
    house.is_served_beside("a flood of strangers", flood(door, request_text("POST", "/v1/leases", body)));
    house.is_served_beside("a flood with a grant",
                           flood(door, request_text("POST", "/v1/leases", body, as_grant(grant))));
    std::vector<std::string> of_many;
    for (int i = 0; i < fellows; ++i) {
        const auto its_own = mint(house.client, house.credential, R"(,"uid":null)");
        of_many.push_back(request_text("POST", "/v1/leases", body, as_grant(its_own)));
    }
    house.is_served_beside("a flood with many grants", flood(door, of_many));
    house.is_served_beside("a flood of nonsense", flood(door, request_text("GET", "/v1/nothing")));
    house.is_served_beside("half-open requests", stall(door, "POST /v1/leases HTTP/1.1\r\nHost: x\r\nX: "));
    house.is_served_beside("half bodies", stall(door, half_a_body()));
    std::string many;
    for (int i = 0; i < 100; ++i) many += request_text("GET", "/v1/leases", "", as_grant(grant));
    house.is_served_beside("answers that nobody reads", stall(door, many));
    house.is_served_beside("bytes one by one", trickle(door));
    // The kernel itself makes others wait while sockets come and go, whoever listens.
    const BareDoor bare;
    house.is_served_beside("coming and going", come_and_go(door), come_and_go(bare.path()));
}

BOOST_AUTO_TEST_CASE(a_worker_is_served_on_time_beside_searches_and_lists_of_very_many) {
    if (!can_take_other_uids()) return;
    OnTime house;
    const auto door = house.daemon.lease_socket();
    const auto grant = house.store_many(1500);
    const auto get = [&](const std::string& target) { return request_text("GET", target, "", as_grant(grant)); };
    const auto found = [&] {
        SocketClient client(door);
        client.send(get("/v1/credentials?q=n700"));
        const auto answer = client.receive();
        return answer && answer->body.contains(R"("name":"n700")") ? 0 : 1;
    };
    BOOST_REQUIRE(as_uid(rude_uid, found) == 0);
    house.is_served_beside("a flood of searches", flood(door, get("/v1/credentials?q=nnnnnnnnx")));
    house.is_served_beside("a flood of long lists", flood(door, get("/v1/credentials?limit=500")));
    const auto take_many = [&] {
        SocketClient client(door);
        const auto lease =
            request_text("POST", "/v1/leases", R"({"credential":"n0","bind":"none","ttl":"1h"})", as_grant(grant));
        for (int i = 0; i < 4000; ++i) {
            client.send(lease);
            const auto answer = client.receive();
            if (!answer || answer->status != 201) return 1;
        }
        return 0;
    };
    BOOST_REQUIRE(as_uid(rude_uid, take_many) == 0);
    house.is_served_beside("a flood of lists of leases", flood(door, get("/v1/leases?limit=500")));
}

BOOST_AUTO_TEST_CASE(a_grant_is_served_on_time_beside_whatever_else_its_uid_does) {
    if (!can_take_other_uids()) return;
    OnTime house;
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

BOOST_AUTO_TEST_SUITE_END()
