#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <fstream>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/wait.h>

using namespace credlease::tests;

namespace {

/// Members of /proc/PID/task/TID/status, of each thread.
std::vector<std::map<std::string, std::string>> threads_of(pid_t pid) {
    std::vector<std::map<std::string, std::string>> all;
    for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
        std::ifstream in(task.path() / "status");
        auto& members = all.emplace_back();
        for (std::string line; std::getline(in, line);) {
            const auto colon = line.find(':');
            const auto value = line.find_first_not_of(" \t", colon + 1);
            members[line.substr(0, colon)] = value == std::string::npos ? std::string() : line.substr(value);
        }
    }
    return all;
}

std::uint64_t set_of(const std::string& hexadecimal) { return std::stoull(hexadecimal, nullptr, 16); }

} // namespace

BOOST_AUTO_TEST_SUITE(hardened_process)

/// Under way, with all its threads: after changes, leases and a query.
BOOST_AUTO_TEST_CASE(no_thread_gains_privileges_each_is_filtered_and_at_most_one_capability_is_left) {
    Daemon daemon;
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    (void)store_token(client, "kept", "tok_kept_12345678");
    BOOST_TEST(client.lease({.credential = "kept"}).ok());
    BOOST_TEST(ask(client, "GET", "/v1/audit/verify").status == 200U);
    const auto threads = threads_of(daemon.pid());
    BOOST_TEST(threads.size() > 3U);
    constexpr auto most = std::uint64_t{1} << CAP_SYS_PTRACE;
    for (auto members : threads) {
        BOOST_TEST_CONTEXT(members["Name"]) {
            BOOST_TEST(members["NoNewPrivs"] == "1");
            BOOST_TEST(members["Seccomp"] == "2");
            for (const auto* set : {"CapPrm", "CapEff", "CapBnd"}) BOOST_TEST((set_of(members[set]) & ~most) == 0U);
            for (const auto* set : {"CapInh", "CapAmb"}) BOOST_TEST(set_of(members[set]) == 0U);
        }
    }
}

BOOST_AUTO_TEST_CASE(it_is_not_dumpable_and_a_crash_leaves_no_core) {
    Daemon daemon({.before_exec = [] {
        const rlimit all{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
        ::setrlimit(RLIMIT_CORE, &all);
    }});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    const auto process = "/proc/" + std::to_string(daemon.pid());
    std::ifstream limits(process + "/limits");
    std::string cores;
    for (std::string line; std::getline(limits, line);)
        if (line.starts_with("Max core file size")) cores = line;
    BOOST_TEST(cores.find(" 0 ") != std::string::npos, cores);
    int status = 0;
    ::kill(daemon.pid(), SIGABRT);
    BOOST_REQUIRE(::waitpid(daemon.pid(), &status, 0) == daemon.pid());
    BOOST_TEST(WIFSIGNALED(status));
    BOOST_TEST(!WCOREDUMP(status));
    for (const auto& entry : std::filesystem::recursive_directory_iterator(daemon.root()))
        BOOST_TEST(!entry.path().filename().native().starts_with("core"));
}

BOOST_AUTO_TEST_SUITE_END()
