#include "attestation/peer.hpp"
#include "attestation/process.hpp"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>

namespace credlease::attestation {
namespace {

/// The writer's credentials. The kernel puts them first, before any descriptors.
std::optional<ucred> credentials_in(msghdr& message) {
    const cmsghdr* const head = CMSG_FIRSTHDR(&message);
    if (head == nullptr || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_CREDENTIALS) return std::nullopt;
    ucred credentials{};
    std::memcpy(&credentials, CMSG_DATA(head), sizeof credentials);
    return credentials;
}

/// SO_PEERCRED names the effective uid, SCM_CREDENTIALS the real one (measured). They differ in a set-uid program,
/// which is the peer all the same as long as it still acts as the uid that connected.
bool acts_as_before(const Peer& peer, uid_t real) {
    const auto uids = read_uids(peer.pid);
    return uids && uids->real == real && uids->effective == peer.uid && peer.is_alive();
}

bool wrote_it(const Peer& peer, const std::optional<ucred>& writer) {
    if (!writer || writer->pid != peer.pid) return false;
    return writer->uid == peer.uid || acts_as_before(peer, writer->uid);
}

} // namespace

bool prepare_listener(int socket) {
    constexpr int on = 1;
    return ::setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0;
}

// The control buffer holds the credentials and nothing else. Descriptors that come along then never become ours: the
// kernel closes them (MSG_CTRUNC; measured), whatever the limit on open files, and there is nothing here to forget to
// close.
Received receive(int socket, const Peer& peer, std::span<std::byte> bytes) {
    iovec into{.iov_base = bytes.data(), .iov_len = bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))];
    msghdr message{};
    message.msg_iov = &into;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;

    ssize_t got = -1;
    do got = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);

    using Kind = Received::Kind;
    if (got < 0) return {.kind = errno == EAGAIN ? Kind::nothing_yet : Kind::failed};
    if (got == 0) return {.kind = Kind::end};
    const bool from_peer = wrote_it(peer, credentials_in(message));
    return {.kind = from_peer ? Kind::bytes : Kind::stranger, .size = static_cast<std::size_t>(got)};
}

} // namespace credlease::attestation
