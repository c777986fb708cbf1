#include "support/daemon/steady_worker.hpp"

#include "support/socket_client.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <grp.h>
#include <sched.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace credlease::tests {

void keep_to_cpu(pid_t task, std::size_t cpu) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    if (::sysconf(_SC_NPROCESSORS_ONLN) > 1) (void)::sched_setaffinity(task, sizeof cpus, &cpus);
}

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto pause_between = 500us; ///< a worker, not a flood

std::string lease_in(const std::string& body) {
    constexpr std::string_view before = "\"lease\":\"";
    const auto at = body.find(before) + before.size();
    return body.substr(at, body.find('"', at) - at);
}

/// One lease, and its release; the time that the lease took, or nothing.
std::optional<std::chrono::microseconds> lease_once(test::SocketClient& client, const std::string& body,
                                                    const std::string& headers) {
    const auto began = Clock::now();
    const auto leased = client.ask("POST", "/v1/leases", body, headers);
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began);
    if (!leased || leased->status != 201) return std::nullopt;
    const auto released = client.ask("DELETE", "/v1/leases/" + lease_in(leased->body), {}, headers);
    if (!released || released->status != 204) return std::nullopt;
    return took;
}

/// While one lease takes long, a worker of that beat would have asked for others, which wait too: each a beat less.
std::chrono::microseconds p99_of_beat(const std::vector<std::chrono::microseconds>& sorted) {
    auto all = sorted;
    const std::chrono::microseconds beat = sorted[sorted.size() / 2] + pause_between;
    for (const auto time : sorted) {
        for (auto left = time - beat; left > beat; left -= beat) all.push_back(left);
    }
    std::ranges::sort(all);
    return all[all.size() * 99 / 100];
}

SteadyWorker::Served summary(std::vector<std::chrono::microseconds>& times, std::uint64_t failures) {
    SteadyWorker::Served served{.leases = times.size(), .failures = failures};
    if (times.empty()) return served;
    std::ranges::sort(times);
    served.median = times[times.size() / 2];
    served.p99 = times[times.size() * 99 / 100];
    served.longest = times.back();
    served.p99_of_beat = p99_of_beat(times);
    return served;
}

/// Works from one byte of the parent's to the next, then tells.
int live(int commands, const std::filesystem::path& socket, const std::string& credential, const std::string& grant) {
    test::SocketClient client(socket);
    const std::string body = R"({"credential":")" + credential + "\"}";
    const std::string headers = grant.empty() ? "" : "Authorization: Bearer " + grant + "\r\n";
    if (!lease_once(client, body, headers)) return 1;
    char byte = 0;
    if (::write(commands, "r", 1) != 1) return 2;
    while (::read(commands, &byte, 1) == 1) {
        std::vector<std::chrono::microseconds> times;
        std::uint64_t failures = 0;
        do { // once at least: what it works beside may be over before it has a CPU
            const auto took = lease_once(client, body, headers);
            took ? times.push_back(*took) : static_cast<void>(++failures);
            std::this_thread::sleep_for(pause_between);
        } while (::recv(commands, &byte, 1, MSG_DONTWAIT) < 0);
        const auto served = summary(times, failures);
        if (::write(commands, &served, sizeof served) != sizeof served) return 3;
    }
    return 0;
}

} // namespace

SteadyWorker::SteadyWorker(const Daemon& daemon, unsigned uid, const std::string& credential,
                           const std::string& grant) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) throw std::runtime_error("socketpair");
    pid_ = ::fork();
    if (pid_ == 0) {
        ::close(ends[0]);
        (void)::setpriority(PRIO_PROCESS, 0, -20); // what else runs here is not what it measures
        keep_to_cpu(0, 1);                         // nor how the two share a CPU that the broker is busy on
        const bool became = ::setgroups(0, nullptr) == 0 && ::setgid(uid) == 0 && ::setuid(uid) == 0;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        try {
            ::_exit(became ? live(ends[1], daemon.lease_socket(), credential, grant) : 99);
        } catch (const std::exception&) { // it could not connect
            ::_exit(98);
        }
    }
    ::close(ends[1]);
    commands_ = ends[0];
    char ready = 0;
    if (::read(commands_, &ready, 1) != 1) throw std::runtime_error("the steady worker got no lease");
}

SteadyWorker::~SteadyWorker() {
    ::close(commands_);
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

void SteadyWorker::begin() const {
    if (::write(commands_, "b", 1) != 1) throw std::runtime_error("the steady worker has gone");
}

double SteadyWorker::Served::slowed_from(const Served& idle) const {
    const auto ratio = [](auto now, auto before) { return double(now.count()) / double(before.count()); };
    return std::max(ratio(p99, idle.p99), ratio(median, idle.median));
}

SteadyWorker::Served SteadyWorker::middle_of(const std::vector<Served>& rounds) {
    Served middle;
    for (const auto& round : rounds) {
        middle.leases += round.leases;
        middle.failures += round.failures;
    }
    for (const auto figure : {&Served::median, &Served::p99, &Served::longest, &Served::p99_of_beat}) {
        std::vector<std::chrono::microseconds> all;
        for (const auto& round : rounds) all.push_back(round.*figure);
        std::ranges::sort(all);
        middle.*figure = all[all.size() / 2];
    }
    return middle;
}

SteadyWorker::Served SteadyWorker::end() const {
    Served served;
    if (::write(commands_, "e", 1) != 1 || ::read(commands_, &served, sizeof served) != sizeof served) {
        throw std::runtime_error("the steady worker has gone");
    }
    return served;
}

SteadyWorker::Served SteadyWorker::work_for(std::chrono::milliseconds time) const {
    begin();
    std::this_thread::sleep_for(time);
    return end();
}

} // namespace credlease::tests
