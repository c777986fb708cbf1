#define BOOST_TEST_DYN_LINK
#include "processes.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <cstring>
#include <grp.h>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace credlease::attestation {
namespace {

[[noreturn]] void live(const std::function<int()>& life) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL); // none outlives the one that waits for it
    ::_exit(life());
}

sockaddr_un address_in(const std::filesystem::path& directory) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = (directory / "lease.sock").string();
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
}

} // namespace

Child::Child(const std::function<int()>& life) : pid_(::fork()) {
    if (pid_ == 0) live(life);
}

Child Child::with_pid(pid_t pid, const std::function<int()>& life) {
    clone_args how{};
    how.exit_signal = SIGCHLD;
    how.set_tid = reinterpret_cast<std::uintptr_t>(&pid);
    how.set_tid_size = 1;
    Child child;
    child.pid_ = static_cast<pid_t>(::syscall(SYS_clone3, &how, sizeof how));
    if (child.pid_ == 0) live(life);
    return child;
}

Child& Child::operator=(Child&& other) noexcept {
    end();
    pid_ = std::exchange(other.pid_, -1);
    return *this;
}

void Child::end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
}

int Child::wait() {
    int status = -1;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool Child::has_exited() const {
    siginfo_t how{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &how, WEXITED | WNOWAIT) == 0;
}

Listener::Listener(Listening how) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    std::string name = "/tmp/credlease-attestation-XXXXXX";
    directory_ = ::mkdtemp(name.data());
    const auto address = address_in(directory_);
    BOOST_REQUIRE(::bind(socket_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    BOOST_REQUIRE(::chmod(directory_.c_str(), 0755) == 0);
    BOOST_REQUIRE(::chmod(address.sun_path, 0666) == 0);
    if (how == Listening::prepared) BOOST_REQUIRE(prepare_listener(socket_.number()));
    BOOST_REQUIRE(::listen(socket_.number(), 16) == 0);
}

Listener::~Listener() { std::filesystem::remove_all(directory_); }

Descriptor Listener::accept() const { return Descriptor(::accept4(socket_.number(), nullptr, nullptr, SOCK_CLOEXEC)); }

Descriptor Listener::connect() const {
    Descriptor client(::socket(AF_UNIX, SOCK_STREAM, 0)); // survives exec: some tests want that
    const auto address = address_in(directory_);
    if (::connect(client.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) client.close();
    return client;
}

Child Listener::client(const std::function<int(int socket)>& life) const {
    return Child([&] {
        const Descriptor socket = connect();
        return socket.open() ? life(socket.number()) : 99;
    });
}

int stay() {
    for (;;) ::pause();
}

void become(uid_t uid) {
    if (::setgroups(0, nullptr) != 0 || ::setresgid(uid, uid, uid) != 0 || ::setresuid(uid, uid, uid) != 0) ::_exit(98);
}

// Whoever is to be told may have gone already.
void say_go(int socket) { (void)!::send(socket, "!", 1, MSG_NOSIGNAL); }

bool go_came(int socket) {
    char byte = 0;
    return ::read(socket, &byte, 1) == 1;
}

bool write_text(int socket, const std::string& text) {
    return ::write(socket, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool can_change_uid() {
    if (::geteuid() == 0) return true;
    BOOST_TEST_MESSAGE("skipped: only root can be another uid, enter namespaces and choose pids");
    return false;
}

} // namespace credlease::attestation
