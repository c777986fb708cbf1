#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"
#include "support/in_child.hpp"
#include "support/socket_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace credlease;
using namespace credlease::tests;
using test::in_child;
using test::request_text;
using test::SocketClient;

namespace {

constexpr unsigned red_uid = 65533;
constexpr unsigned blue_uid = 65532;
constexpr unsigned no_one_uid = 65531;

const std::string sockets = "[sockets]\nlease_mode = \"0666\"\n";

std::string rule(const std::string& name, unsigned uid, const std::string& more = {}) {
    return "[[worker]]\nname = \"" + name + "\"\nuid = " + std::to_string(uid) + "\nworkspace = \"default\"\n" + more;
}

std::string python() { return std::filesystem::canonical("/usr/bin/python3"); }

/// Prints the status of one lease and the peer that the broker sees.
constexpr auto lease_script = R"(import http.client, json, socket, sys
class Broker(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sys.argv[1])
broker = Broker('credlease')
broker.request('POST', '/v1/leases', '{"credential":"wanted"}', {'Content-Type': 'application/json'})
answer = broker.getresponse()
answer.read()
broker.request('GET', '/v1/whoami')
print(json.dumps({'status': answer.status, 'whoami': json.loads(broker.getresponse().read())}))
)";

/// This process's root becomes the root of a mount namespace of its own: in a chroot, where tests may run, nobody may
/// make a user namespace (user_namespaces(7)).
void leave_chroot() {
    const int here = ::open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (here < 0 || ::unshare(CLONE_NEWNS) != 0) ::_exit(97);
    const int mounts = ::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    const bool is_outside = ::setns(mounts, CLONE_NEWNS) == 0; // setns(2): at the namespace's own root
    const bool is_private = ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    const bool is_laid_over = ::move_mount(here, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) == 0;
    if (!is_outside || !is_private || !is_laid_over || ::fchdir(here) != 0 || ::chroot(".") != 0) ::_exit(97);
}

/// Runs a shell command as that uid: what it printed, as JSON.
boost::json::value output_of(const std::string& command, unsigned uid, void (*prepare)() = [] {}) {
    std::array<int, 2> pipe{};
    BOOST_REQUIRE(::pipe(pipe.data()) == 0);
    const auto status = in_child([&] {
        prepare();
        return as_uid(uid, [&] {
            ::dup2(pipe[1], STDOUT_FILENO);
            ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
            return 127;
        });
    });
    ::close(pipe[1]);
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = ::read(pipe[0], buffer.data(), buffer.size())) > 0;)
        text.append(buffer.data(), static_cast<std::size_t>(got));
    ::close(pipe[0]);
    BOOST_REQUIRE_EQUAL(status, 0);
    return boost::json::parse(text);
}

/// The script where every uid can read it; how it is run by the interpreter.
std::string leasing(const Daemon& daemon) {
    const auto script = daemon.root() / "lease.py";
    {
        std::ofstream(script) << lease_script;
    }
    ::chmod(script.c_str(), 0644);
    return " " + script.native() + " " + daemon.lease_socket().native();
}

/// Starts a broker with one credential, `wanted`.
void start(Daemon& daemon) {
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    (void)store_token(client, "wanted", "tok_wanted_12345678");
}

bool only_root_can() {
    if (::geteuid() == 0) return true;
    BOOST_TEST_MESSAGE("skipped: only root takes other uids");
    return false;
}

std::string principal_of(const Daemon& daemon, unsigned uid) {
    const std::vector<std::string> known{"worker:red", "worker:blue"};
    const int which = as_uid(uid, [&] {
        SocketClient client(daemon.lease_socket());
        const auto answer = client.ask("GET", "/v1/whoami");
        if (!answer || (answer->status != 200 && answer->status != 401)) return 9;
        if (answer->status == 401) return 2;
        return answer->body.contains("\"worker:red\"") ? 0 : answer->body.contains("\"worker:blue\"") ? 1 : 8;
    });
    return which < 2 ? known[static_cast<std::size_t>(which)] : which == 2 ? "nobody" : "?";
}

bool write_plainly(int socket, const std::string& text) {
    return ::write(socket, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

/// Sends a descriptor along with `text`.
bool send_with(int over, int descriptor, const std::string& text) {
    iovec piece{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(head), &descriptor, sizeof descriptor);
    return ::sendmsg(over, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

int receive_descriptor(int from) {
    char byte = 0;
    iovec piece{.iov_base = &byte, .iov_len = 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (::recvmsg(from, &message, 0) != 1 || CMSG_FIRSTHDR(&message) == nullptr) return -1;
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof descriptor);
    return descriptor;
}

/// What the stranger wrote is answered 401 and not done, and the connection ends.
void is_turned_away(SocketClient& client) {
    const auto answer = client.receive();
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->status == 401U);
    BOOST_TEST(answer->body.contains(R"("code":"unauthenticated")"));
    BOOST_TEST(client.is_closed_by_peer());
}

/// getsockopt(SO_PEERPIDFD) and ioctl(PIDFD_GET_INFO) fail from now on, as on Linux 6.1.
void refuse_newer_calls() {
    constexpr std::uint32_t so_peerpidfd = 77;
    constexpr std::uint32_t pidfd_ioctls = 0xFF;
    constexpr std::uint32_t refusal = SECCOMP_RET_ERRNO | ENOPROTOOPT;
    const auto load = [](std::size_t offset) {
        return sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
    };
    const auto unless = [](std::uint32_t value, std::uint8_t lines) {
        return sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, lines);
    };
    const auto answer = [](std::uint32_t verdict) { return sock_filter BPF_STMT(BPF_RET | BPF_K, verdict); };
    std::array rules{load(offsetof(seccomp_data, nr)),
                     unless(SYS_getsockopt, 3),
                     load(offsetof(seccomp_data, args) + 16),
                     unless(so_peerpidfd, 1),
                     answer(refusal),
                     load(offsetof(seccomp_data, nr)),
                     unless(SYS_ioctl, 4),
                     load(offsetof(seccomp_data, args) + 8),
                     sock_filter BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xFF00),
                     unless(pidfd_ioctls << 8, 1),
                     answer(refusal),
                     answer(SECCOMP_RET_ALLOW)};
    const sock_fprog program{.len = rules.size(), .filter = rules.data()};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        ::_exit(97);
}

/// The daemon becomes the first process of a pid namespace of its own: everyone else is outside.
void enter_pid_namespace() {
    if (::unshare(CLONE_NEWPID | CLONE_NEWNS) != 0) ::_exit(97);
    ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    if (const pid_t inside = ::fork(); inside != 0) {
        int status = 0;
        ::waitpid(inside, &status, 0);
        ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 96);
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::mount("proc", "/proc", "proc", 0, nullptr) != 0) ::_exit(97);
}

} // namespace

BOOST_AUTO_TEST_SUITE(peers)

BOOST_AUTO_TEST_CASE(the_kernel_says_who_a_worker_is_and_no_header_does) {
    if (!only_root_can()) return;
    Daemon daemon({.config = sockets + rule("red", red_uid) + rule("blue", blue_uid), .open_to_others = true});
    start(daemon);
    BOOST_TEST(principal_of(daemon, red_uid) == "worker:red");
    BOOST_TEST(principal_of(daemon, blue_uid) == "worker:blue");
    BOOST_TEST(principal_of(daemon, no_one_uid) == "nobody");
    BOOST_TEST(as_uid(no_one_uid, [&] {
                   SocketClient client(daemon.lease_socket());
                   const auto answer = client.ask("POST", "/v1/leases", R"({"credential":"wanted"})",
                                                  "X-Uid: 65533\r\nX-Remote-User: red\r\nForwarded: for=red\r\n");
                   return answer && answer->status == 401 ? 0 : 1;
               }) == 0);
}

BOOST_AUTO_TEST_CASE(a_worker_in_namespaces_of_its_own_is_its_outer_uid_and_pid) {
    if (!only_root_can()) return;
    Daemon daemon({.config = sockets + rule("red", red_uid), .open_to_others = true});
    start(daemon);
    const auto seen =
        output_of("unshare --user --map-root-user --mount --pid --fork --mount-proc " + python() + leasing(daemon),
                  red_uid, leave_chroot);
    BOOST_TEST(seen.at("status").as_int64() == 201);
    BOOST_TEST(seen.at("whoami").at("principal").as_string() == "worker:red");
    BOOST_TEST(seen.at("whoami").at("peer").at("uid").as_int64() == red_uid); // inside it calls itself 0
    BOOST_TEST(seen.at("whoami").at("peer").at("pid").as_int64() > 2);        // inside it is 1
}

BOOST_AUTO_TEST_CASE(an_executable_is_its_inode_and_not_its_path) {
    if (!only_root_can()) return;
    Daemon daemon({.open_to_others = true});
    const auto allowed = daemon.root() / "allowed";
    std::filesystem::copy_file("/bin/sleep", allowed);
    daemon.write_config(sockets + rule("forged", red_uid, "exe = \"" + allowed.native() + "\"\n") +
                        rule("true", blue_uid, "exe = \"" + python() + "\"\n"));
    start(daemon);
    const auto run = leasing(daemon);
    const auto in_its_mounts = [](const std::string& commands, unsigned uid) {
        return output_of("unshare --user --map-root-user --mount sh -c '" + commands + "'", uid, leave_chroot);
    };
    BOOST_TEST(output_of(python() + run, blue_uid).at("status").as_int64() == 201);
    BOOST_TEST(output_of(python() + run, red_uid).at("status").as_int64() == 401);
    const auto forge = "mount --bind " + python() + " " + allowed.native() + " && exec " + allowed.native() + run;
    BOOST_TEST(in_its_mounts(forge, red_uid).at("status").as_int64() == 401);
    // In mounts of its own even the right inode proves nothing: its libraries may be anything.
    BOOST_TEST(in_its_mounts("exec " + python() + run, blue_uid).at("status").as_int64() == 401);
}

BOOST_AUTO_TEST_CASE(who_inherited_a_connection_or_was_passed_one_is_a_stranger) {
    if (!only_root_can()) return;
    Daemon daemon({.config = sockets + rule("red", 0), .open_to_others = true});
    start(daemon);
    const auto text = request_text("POST", "/v1/leases", R"({"credential":"wanted","bind":"none"})");
    for (const auto& door : {daemon.lease_socket(), daemon.admin_socket()}) {
        SocketClient inherited(door);
        BOOST_TEST(inherited.ask("GET", "/v1/whoami")->status == 200U);
        BOOST_TEST(in_child([&] { return write_plainly(inherited.number(), text) ? 0 : 1; }) == 0);
        is_turned_away(inherited);

        SocketClient passed(door);
        std::array<int, 2> ends{};
        BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
        BOOST_REQUIRE(send_with(ends[0], passed.number(), "x"));
        BOOST_TEST(as_uid(no_one_uid, [&] { return write_plainly(receive_descriptor(ends[1]), text) ? 0 : 1; }) == 0);
        ::close(ends[0]);
        ::close(ends[1]);
        is_turned_away(passed);
    }
    auto client = client_of(daemon);
    BOOST_TEST(ask(client, "GET", "/v1/leases").json.at("items").as_array().empty());
}

BOOST_AUTO_TEST_CASE(descriptors_that_are_sent_to_the_broker_are_closed) {
    Daemon daemon;
    start(daemon);
    SocketClient client(daemon.lease_socket());
    BOOST_TEST(client.ask("GET", "/v1/status")->status == 200U);
    const auto open_now = [&] {
        return std::distance(std::filesystem::directory_iterator("/proc/" + std::to_string(daemon.pid()) + "/fd"), {});
    };
    const auto before = open_now();
    for (int i = 0; i < 20; ++i) {
        BOOST_REQUIRE(send_with(client.number(), STDIN_FILENO, request_text("GET", "/v1/status")));
        BOOST_TEST(client.receive()->status == 200U);
    }
    BOOST_TEST(open_now() == before);
}

BOOST_AUTO_TEST_CASE(a_peer_outside_the_brokers_pid_namespace_is_refused) {
    if (!only_root_can()) return;
    Daemon daemon({.before_exec = enter_pid_namespace});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    for (const auto& door : {daemon.lease_socket(), daemon.admin_socket()}) {
        SocketClient client(door);
        is_turned_away(client);
    }
}

BOOST_AUTO_TEST_CASE(without_the_newer_calls_peers_are_known_by_pid_and_start_time) {
    Daemon daemon({.before_exec = refuse_newer_calls});
    start(daemon);
    auto client = client_of(daemon);
    BOOST_TEST(ask(client, "GET", "/v1/status").json.at("peer").as_string() == "pid");
    auto lease = client.lease({.credential = "wanted"});
    BOOST_REQUIRE(lease.ok());
    BOOST_TEST(lease->renew().ok());
    BOOST_TEST(in_child([&] {
                   auto worker = client_of(daemon);
                   auto bound = worker.lease({.credential = "wanted"});
                   if (!bound) return 1;
                   bound->keep();
                   return 0;
               }) == 0);
    std::vector<boost::json::object> ended; // the holder's exit is seen all the same
    for (int i = 0; i < 250 && ended.empty(); ++i, ::usleep(20000)) ended = audit_of(client, "action=lease.ended");
    BOOST_TEST(ended.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
