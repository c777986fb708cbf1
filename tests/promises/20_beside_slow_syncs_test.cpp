#define BOOST_TEST_DYN_LINK
#include "refresh_house.hpp"
#include "support/daemon/slow_disk.hpp"
#include "support/daemon/steady_worker.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <limits>
#include <sys/resource.h>
#include <thread>

using namespace credlease::tests;
using namespace std::chrono_literals;

namespace {

constexpr auto rule = "[[worker]]\nname = \"self\"\nuid = 0\nworkspace = \"default\"\n";

/// All its threads. Those that it begins later go where they were begun.
void keep_process_to_cpu(pid_t process, std::size_t cpu) {
    for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task"))
        keep_to_cpu(std::stoi(task.path().filename()), cpu);
}

/// Before whatever else this machine does; among themselves its threads stay as they are.
void put_before_others(pid_t process) {
    constexpr int further = 20;
    for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task")) {
        const auto id = static_cast<id_t>(std::stoul(task.path().filename()));
        (void)::setpriority(PRIO_PROCESS, id, ::getpriority(PRIO_PROCESS, id) - further);
    }
}

/// A broker whose disk takes a tenth of a second for each sync, and a worker that leases.
struct SlowHouse {
    SlowDisk disk;
    RefreshHouse house{6, disk.setup(rule)};
    std::optional<SteadyWorker> worker;
    std::atomic<bool> is_over = false;
    std::atomic<int> changes = 0, verifications = 0;

    SlowHouse() {
        (void)store_token(house.client, "wanted", "tok_wanted_12345678");
        worker.emplace(house.daemon, 0, "wanted");
        // What is measured is how the broker's threads make room for each other. Whoever asks has another CPU.
        keep_process_to_cpu(house.daemon.pid(), 0);
        put_before_others(house.daemon.pid());
        keep_process_to_cpu(house.provider.pid(), 1);
        keep_to_cpu(0, 1);
        disk.slow_syncs();
    }

    ~SlowHouse() { disk.let_go(); }
    SlowHouse(const SlowHouse&) = delete;
    SlowHouse& operator=(const SlowHouse&) = delete;

    /// p99 of a worker at a steady beat, beside whatever there is.
    double measure(const std::string& what) {
        std::vector<SteadyWorker::Served> rounds;
        for (int i = 0; i < 5; ++i) {
            rounds.push_back(worker->work_for(500ms));
            BOOST_TEST(rounds.back().failures == 0U);
            BOOST_TEST_MESSAGE(what << ": p99 " << rounds.back().p99_of_beat.count() << " us, median "
                                    << rounds.back().median.count() << " us");
        }
        return double(SteadyWorker::middle_of(rounds).p99_of_beat.count());
    }

    /// Changes, one after the other; each waits for its syncs.
    void change(int writer) {
        auto client = client_of(house.daemon);
        for (int i = 0; !is_over; ++i) {
            (void)store_token(client, std::to_string(writer) + "." + std::to_string(i), "tok_changed_12345678");
            ++changes;
        }
    }
    void verify() {
        auto client = client_of(house.daemon);
        for (; !is_over; ++verifications) {
            BOOST_TEST(ask(client, "GET", "/v1/audit/verify").json.at("ok").as_bool());
            std::this_thread::sleep_for(10ms);
        }
    }

    /// Without anything else, then beside refreshes, changes and verifications.
    void compare(double& idle, double& beside) {
        idle = std::min(idle, measure("idle"));
        for (int i = 0; i < 10; ++i) (void)house.connect("o" + std::to_string(i), "single_use");
        std::vector<std::thread> busy;
        for (int writer = 0; writer < 4; ++writer) busy.emplace_back([&, writer] { change(writer); });
        busy.emplace_back([&] { verify(); });
        beside = std::min(beside, measure("beside"));
        is_over = true;
        for (auto& one : busy) one.join();
        BOOST_TEST(changes > 0);
        BOOST_TEST(verifications > 0);
        BOOST_TEST(!audit_of(house.client, "action=oauth.refreshed").empty());
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(beside_slow_syncs)

BOOST_AUTO_TEST_CASE(leases_take_no_longer_beside_refreshes_changes_and_verifications_though_each_sync_takes_100_ms) {
    constexpr double most = 1.5;
    constexpr int attempts =
        5; // of each the quietest counts: the machine's noise disturbs some, what is broken all of them
    double idle = 1e9, beside = std::numeric_limits<double>::infinity();
    for (int i = 0; i < attempts && beside > most * idle; ++i) SlowHouse().compare(idle, beside);
    BOOST_TEST(beside <= most * idle, beside / idle << " times as slow as idle");
}

BOOST_AUTO_TEST_SUITE_END()
