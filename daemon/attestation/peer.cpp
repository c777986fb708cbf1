#include "attestation/peer.hpp"

#include "attestation/process.hpp"

#include <cerrno>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace credlease::attestation {
namespace {

using result::ErrorCode;
using result::refuse;
using result::Result;

constexpr int so_peerpidfd = 77; // SO_PEERPIDFD (Linux 6.5), newer than Debian 12's headers

result::Failure refuse_gone() {
    return refuse({.code = ErrorCode::unauthenticated,
                   .sentence = "The process that connected has exited.",
                   .next_step = "Keep the process that opens the connection running, and connect again."});
}

result::Failure refuse_without_credentials() {
    return refuse({.code = ErrorCode::unauthenticated,
                   .sentence = "The kernel does not say who connected.",
                   .next_step = "Connect through the broker's Unix socket."});
}

/// Where SO_PEERPIDFD is missing or refused: a descriptor of whoever has the peer's pid now. Kept only if that is no
/// later process: its uid agrees, and it started before the connection was accepted.
Result<Descriptor> open_by_pid(const Peer& peer, std::uint64_t accepted) {
    Descriptor pidfd(pidfd_open(peer.pid));
    if (!pidfd.open() && errno == ESRCH) return refuse_gone();
    if (!pidfd.open() && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
        return refuse({.code = ErrorCode::overloaded,
                       .sentence = "The broker has no descriptor left for this connection.",
                       .next_step = "Close connections that are not needed, or raise LimitNOFILE."});
    }
    if (!pidfd.open()) {
        return refuse({.code = ErrorCode::unauthenticated,
                       .sentence = "The broker can't hold on to the process that connected: pidfd_open(2) is refused.",
                       .next_step = "Allow pidfd_open in the broker's sandbox (it needs Linux 5.3 or later)."});
    }
    const auto stat = read_stat(peer.pid);
    const auto uids = read_uids(peer.pid);
    if (!stat || !uids || uids->effective != peer.uid || stat->start_time > accepted) return refuse_gone();
    return pidfd;
}

/// The peer's descriptor by the socket itself; closed where the kernel or a sandbox does not give it.
Result<Descriptor> open_by_socket(int socket) {
    int number = -1;
    socklen_t size = sizeof number;
    if (::getsockopt(socket, SOL_SOCKET, so_peerpidfd, &number, &size) == 0) return Descriptor(number);
    // Kernels 6.5 to 6.15 say so of a peer that has been reaped. Everything else (ENOPROTOOPT, or whatever errno a
    // sandbox chose) means that this call is not to be had.
    if (errno == ESRCH || errno == EINVAL || errno == ENODATA) return refuse_gone();
    return Descriptor();
}

Result<> hold(int socket, Peer& peer, std::uint64_t accepted) {
    auto pidfd = open_by_socket(socket);
    if (pidfd && !pidfd->open()) {
        peer.key = PeerKey::pid;
        pidfd = open_by_pid(peer, accepted);
    }
    if (!pidfd) return refuse(std::move(pidfd.error()));
    peer.pidfd = std::move(*pidfd);
    return {};
}

/// poll(2) says "readable" of a pidfd once the process has exited.
bool is_readable(int pidfd) {
    pollfd state{.fd = pidfd, .events = POLLIN, .revents = 0};
    return ::poll(&state, 1, 0) != 0;
}

} // namespace

void Descriptor::close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
}

bool Peer::is_alive() const {
    if (pidfd.open()) return !is_readable(pidfd.number());
    const auto stat = read_stat(pid);
    return stat && !stat->has_exited() && stat->start_time == start_time;
}

Result<Peer> attest(int socket) {
    const std::uint64_t accepted = ticks_since_boot();
    constexpr int on = 1;
    if (::setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) return refuse_without_credentials();
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return refuse_without_credentials();
    if (credentials.pid <= 0) {
        return refuse({.code = ErrorCode::unauthenticated,
                       .sentence = "The process that connected is outside the broker's pid namespace.",
                       .next_step = "Run the broker in the host's pid namespace, or in the same one as its clients."});
    }
    Peer peer;
    peer.pid = credentials.pid;
    peer.uid = credentials.uid;
    peer.gid = credentials.gid;
    if (auto held = hold(socket, peer, accepted); !held) return refuse(std::move(held.error()));

    const auto stat = read_stat(peer.pid);
    if (!stat) return refuse_gone();
    peer.start_time = stat->start_time;
    peer.unit = unit_of_process(peer.pid);
    peer.executable = executable_of(peer);
    if (peer.executable) peer.executable_path = executable_path(peer.pid);
    // Alive still: the pid was not given to another process while /proc was read.
    if (!peer.is_alive()) return refuse_gone();
    return peer;
}

Descriptor open_process(pid_t pid, std::uint64_t start_time) {
    Descriptor pidfd(pidfd_open(pid));
    if (!pidfd.open()) return {};
    const auto stat = read_stat(pid);
    if (!stat || stat->start_time != start_time || is_readable(pidfd.number())) return {};
    return pidfd;
}

PeerKey peer_key_here() {
    int ends[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return PeerKey::pid;
    const Descriptor here(ends[0]);
    const Descriptor there(ends[1]);
    const auto pidfd = open_by_socket(here.number());
    return pidfd && pidfd->open() ? PeerKey::pidfd : PeerKey::pid;
}

} // namespace credlease::attestation
