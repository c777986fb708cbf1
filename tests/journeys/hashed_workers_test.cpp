#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

// A program of a rule with `exe_sha256` that takes long to hash, and what becomes of everyone else meanwhile.
using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr unsigned worker_uid = 65533;
constexpr std::uintmax_t gibibyte = std::uintmax_t{1} << 30; ///< takes seconds
constexpr auto asks = R"(
import socket, sys
for i in range(int(sys.argv[2])):
    broker = socket.socket(socket.AF_UNIX)
    broker.connect(sys.argv[1])
    body = b'{"credential":"%s"}' % (b"x" * 15000)
    broker.sendall(b"POST /v1/leases HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    if i == 0: first = broker
print(first.recv(65536).decode(), flush=True)
)";

struct Fixture {
    Daemon daemon{
        {.config = "[sockets]\nlease_mode = \"0666\"\n[[worker]]\nname = \"etl\"\nuid = 65533\nexe_sha256 = \"" +
                   std::string(64, '0') + "\"\n",
         .open_to_others = true}};
    Client client{client_of(daemon)};
    pid_t worker = -1;
    int said = -1;

    Fixture() { BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log()); }
    ~Fixture() {
        end_worker();
        BOOST_TEST(ask(client, "GET", "/v1/status").status == 200U);
        BOOST_TEST(daemon.stop().value_or(-1) == 0);
    }
    Fixture(const Fixture&) = delete;
    Fixture& operator=(const Fixture&) = delete;

    /// Python, as another uid, that has grown to this size; it asks for leases, and says what the first answer was.
    void start_worker(std::uintmax_t size, int requests = 1) {
        const auto program = daemon.root() / "program";
        fs::copy_file(fs::canonical("/usr/bin/python3"), program);
        fs::resize_file(program, size);
        fs::permissions(program, fs::perms(0755));
        std::array<int, 2> pipe{};
        BOOST_REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
        worker = ::fork();
        if (worker == 0) {
            if (::setgid(worker_uid) != 0 || ::setuid(worker_uid) != 0) ::_exit(99);
            ::dup2(pipe[1], STDOUT_FILENO);
            ::execl(program.c_str(), "python3", "-I", "-c", asks, daemon.lease_socket().c_str(),
                    std::to_string(requests).c_str(), nullptr);
            ::_exit(127);
        }
        ::close(pipe[1]);
        said = pipe[0];
        std::this_thread::sleep_for(500ms); // until its hash is being made
    }
    /// What it was answered.
    std::string answer() const {
        std::array<char, 4096> text{};
        const auto size = ::read(said, text.data(), text.size());
        return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
    }
    void end_worker() {
        if (worker <= 0) return;
        ::kill(worker, SIGKILL);
        ::waitpid(worker, nullptr, 0);
        ::close(said);
        worker = -1;
    }
    /// How long an operator waits for a query of the log and a delete, which are work for the same thread.
    std::chrono::milliseconds operator_waits() {
        const auto id = store_token(client, "short-lived", "tok_short_lived_123");
        const auto begin = std::chrono::steady_clock::now();
        BOOST_TEST(!audit_of(client).empty());
        BOOST_TEST(ask(client, "DELETE", "/v1/credentials/" + id).status == 204U);
        return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    }
    [[nodiscard]] bool is_root() const {
        if (::geteuid() == 0) return true;
        BOOST_TEST_MESSAGE("skipped: only root takes other uids");
        return false;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(hashed_workers, Fixture)

BOOST_AUTO_TEST_CASE(a_program_that_is_too_long_matches_no_hash_and_is_answered_at_once) {
    if (!is_root()) return;
    start_worker(gibibyte + 1);
    const auto waited = operator_waits();
    BOOST_TEST((waited < 500ms), "an operator waited " << waited.count() << " ms");
    BOOST_TEST(answer().starts_with("HTTP/1.1 401"));
}

BOOST_AUTO_TEST_CASE(while_a_long_program_is_hashed_queries_and_deletes_are_served) {
    if (!is_root()) return;
    start_worker(gibibyte);
    const auto waited = operator_waits();
    BOOST_TEST((waited < 500ms), "an operator waited " << waited.count() << " ms");
    BOOST_TEST(answer().starts_with("HTTP/1.1 401"));
}

BOOST_AUTO_TEST_CASE(who_waits_for_its_hash_while_the_broker_is_sealed_is_told_so) {
    if (!is_root()) return;
    start_worker(gibibyte);
    BOOST_TEST(ask(client, "POST", "/v1/seal", "{}").status == 200U);
    BOOST_TEST(answer().contains("\"code\":\"sealed\""));
    BOOST_TEST(ask(client, "POST", "/v1/unseal", "{}").status == 200U);
}

BOOST_AUTO_TEST_CASE(what_clients_that_have_gone_had_sent_takes_no_memory_from_others) {
    if (!is_root()) return;
    start_worker(gibibyte, 400);
    const auto wide = R"({"service":"http-bearer","name":"wide","notes":")" + std::string(4000, 'n') +
                      R"(","fields":{"base_url":"https://a.example","token":")" + std::string(20000, 't') + "\"}}";
    BOOST_TEST(ask(client, "POST", "/v1/credentials", wide).status == 201U);
    BOOST_TEST(answer().starts_with("HTTP/1.1 401"));
}

BOOST_AUTO_TEST_SUITE_END()
