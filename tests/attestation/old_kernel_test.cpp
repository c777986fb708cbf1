#define BOOST_TEST_DYN_LINK
#include "attestation/process.hpp"
#include "processes.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <cstddef>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// Kernels before 6.5 have no SO_PEERPIDFD, and a sandbox may refuse it: each server here runs with it refused.
namespace credlease::attestation {
namespace {

constexpr std::uint32_t pidfd_ioctls = 0xFF; // the type of PIDFD_GET_INFO (Linux 6.13)

constexpr sock_filter load(std::size_t offset) {
    return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
constexpr sock_filter skip_unless(std::uint32_t value, std::uint8_t lines) {
    return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, lines);
}
constexpr sock_filter answer(std::uint32_t verdict) { return BPF_STMT(BPF_RET | BPF_K, verdict); }

/// From now on getsockopt(SO_PEERPIDFD) and ioctl(PIDFD_GET_INFO) fail with `error` (and pidfd_open, if asked for).
bool refuse_peer_pidfds(int error, bool pidfd_open_too = false) {
    constexpr std::uint32_t so_peerpidfd = 77;
    constexpr std::size_t second = offsetof(seccomp_data, args) + 8;
    constexpr std::size_t third = offsetof(seccomp_data, args) + 16;
    constexpr std::uint32_t none = 0xFFFFFFFF;
    const std::uint32_t refusal = SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error);
    sock_filter rules[] = {load(offsetof(seccomp_data, nr)),
                           skip_unless(SYS_getsockopt, 3),
                           load(third),
                           skip_unless(so_peerpidfd, 1),
                           answer(refusal),
                           load(offsetof(seccomp_data, nr)),
                           skip_unless(SYS_ioctl, 4),
                           load(second),
                           BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xFF00),
                           skip_unless(pidfd_ioctls << 8, 1),
                           answer(refusal),
                           load(offsetof(seccomp_data, nr)),
                           skip_unless(pidfd_open_too ? std::uint32_t{SYS_pidfd_open} : none, 1),
                           answer(refusal),
                           answer(SECCOMP_RET_ALLOW)};
    const sock_fprog program{.len = std::size(rules), .filter = rules};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/// Runs `check` on the next connection in a process where the calls are refused; 0 is good.
int in_old_kernel(const Listener& listener, int error, const std::function<int(int, result::Result<Peer>)>& check) {
    Child server([&] {
        if (!refuse_peer_pidfds(error)) return 90;
        if (peer_key_here() != PeerKey::pid) return 91;
        const Descriptor socket = listener.accept();
        return check(socket.number(), attest(socket.number()));
    });
    return server.wait();
}

int expect_refused(int, const result::Result<Peer>& peer) {
    return !peer && peer.error().code == result::ErrorCode::unauthenticated ? 0 : 1;
}

} // namespace

BOOST_AUTO_TEST_SUITE(old_kernel_promises)

BOOST_AUTO_TEST_CASE(the_peer_is_known_by_pid_and_start_time) {
    for (const int error : {ENOPROTOOPT, ENOSYS, EPERM, EACCES}) {
        const Listener listener;
        const Child client = listener.client([](int socket) { return write_text(socket, "hello") ? stay() : 1; });
        const int verdict = in_old_kernel(listener, error, [&](int socket, const result::Result<Peer>& peer) {
            if (!peer) return 1;
            if (peer->key != PeerKey::pid || peer->pid != client.pid() || peer->uid != ::geteuid()) return 2;
            if (!peer->pidfd.open() || !peer->is_alive()) return 3;
            if (peer->start_time != read_stat(client.pid())->start_time) return 4;
            std::array<std::byte, 16> bytes{};
            Received got;
            do got = receive(socket, *peer, bytes);
            while (got.kind == Received::Kind::nothing_yet);
            return got.kind == Received::Kind::bytes && got.size == 5 ? 0 : 5;
        });
        BOOST_TEST(verdict == 0);
    }
}

BOOST_AUTO_TEST_CASE(its_end_is_seen) {
    const Listener listener;
    const Child client = listener.client([](int socket) {
        if (!go_came(socket)) return 96;
        return 0;
    });
    const int verdict = in_old_kernel(listener, ENOPROTOOPT, [](int socket, const result::Result<Peer>& peer) {
        if (!peer || !peer->is_alive()) return 1;
        say_go(socket);
        for (int i = 0; i < 2000 && peer->is_alive(); ++i) ::usleep(1000);
        return peer->is_alive() ? 2 : 0;
    });
    BOOST_TEST(verdict == 0);
}

BOOST_AUTO_TEST_CASE(a_peer_that_had_gone_is_refused) {
    const Listener listener;
    Child client = listener.client([](int) { return 0; });
    BOOST_REQUIRE(client.wait() == 0);
    BOOST_TEST(in_old_kernel(listener, ENOPROTOOPT, expect_refused) == 0);
}

BOOST_AUTO_TEST_CASE(a_later_process_of_that_pid_and_another_uid_is_refused) {
    if (!can_change_uid()) return;
    const Listener listener;
    Child client = listener.client([](int) { return 0; });
    const pid_t pid = client.pid();
    BOOST_REQUIRE(client.wait() == 0);
    int ends[2];
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    const Descriptor here(ends[0]);
    const Descriptor there(ends[1]);
    const Child later = Child::with_pid(pid, [&] {
        become(65534);
        say_go(there.number());
        return stay();
    });
    if (later.pid() != pid) {
        BOOST_TEST_MESSAGE("skipped: no process can be started with a pid of our choice here");
        return;
    }
    BOOST_REQUIRE(go_came(here.number()));
    BOOST_TEST(in_old_kernel(listener, ENOPROTOOPT, expect_refused) == 0);
}

BOOST_AUTO_TEST_CASE(without_any_process_descriptor_nobody_is_let_in) {
    const Listener listener;
    const Child client = listener.client([](int) { return stay(); });
    Child server([&] {
        if (!refuse_peer_pidfds(EPERM, true)) return 90;
        const Descriptor socket = listener.accept();
        return expect_refused(0, attest(socket.number()));
    });
    BOOST_TEST(server.wait() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::attestation
