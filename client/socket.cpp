#include "client/socket.hpp"

#include "client/open_sockets.hpp"
#include "client/refusal.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace credlease::client {
namespace {

constexpr const char* broker_account = "credlease";

bool is_brokers_account(uid_t uid) {
    std::vector<char> room(16384);
    passwd entry{};
    passwd* found = nullptr;
    const int failed = getpwnam_r(broker_account, &entry, room.data(), room.size(), &found);
    return failed == 0 && found != nullptr && found->pw_uid == uid;
}

/// SO_PEERCRED of a connected stream socket tells who called listen(2), see unix(7).
Result<void> check_listener(int descriptor, const Place& place) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
        return unreachable("It is not known who listens at " + place.path + ".", text_of_errno(errno));
    }
    if (peer.uid == 0 || peer.uid == geteuid() || is_brokers_account(peer.uid)) return {};
    return unreachable("The program that listens at " + place.path + " runs as uid " + std::to_string(peer.uid) +
                           ", which is neither root, nor you, nor the credlease account. Nothing was sent to it.",
                       "Check " + std::string(place.variable) +
                           "; in a container, give the broker's uid the name credlease in /etc/passwd.");
}

Error not_connected(const Place& place, int error) {
    const std::string& path = place.path;
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return unreachable(
            "No broker is there: " + path + " does not exist.",
            "Start one of your own with credleased, or the system's with systemctl start credleased; if it is "
            "elsewhere, set " +
                std::string(place.variable) + " to its socket.");
    case ECONNREFUSED:
        return unreachable("No broker listens at " + path + ".",
                           "Start it again: credleased, or systemctl start credleased.");
    case EACCES:
    case EPERM:
        return unreachable("You may not connect to " + path + ".",
                           "Ask the operator to add you to the socket's group.");
    case EAGAIN:
        return unreachable("The broker at " + path + " takes no connection.", "Try again in a moment.");
    default:
        return unreachable("No connection to " + path + ": " + text_of_errno(error) + ".", "");
    }
}

Result<sockaddr_un> address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path || path.find('\0') != std::string::npos) {
        return misconfigured("This is no usable socket path: \"" + path + "\".",
                             "Name a path of 1 to 107 bytes (see unix(7)).");
    }
    path.copy(address.sun_path, path.size());
    return address;
}

/// A connect(2) that may not wait says EAGAIN while the listener's backlog is full; poll(2) does not tell when that
/// changes (see unix(7)).
int connect_within(int descriptor, const sockaddr_un& address, const Deadline& deadline, Interruption& interruption) {
    constexpr std::chrono::milliseconds try_every(10);
    while (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        if (errno != EAGAIN && errno != EINTR) return errno;
        if (deadline.has_passed() || interruption.comes_within(std::min(try_every, deadline.left()))) return EAGAIN;
    }
    return 0;
}

/// Waits until the descriptor is ready or closed, or `wake` came; false when the time is over.
bool wait_for(int descriptor, short events, const Deadline& deadline, const Wake* wake = nullptr) {
    std::array waited = {pollfd{.fd = descriptor, .events = events, .revents = 0},
                         pollfd{.fd = wake == nullptr ? -1 : wake->descriptor(), .events = POLLIN, .revents = 0}};
    while (true) {
        const int ready = poll(waited.data(), waited.size(), static_cast<int>(deadline.left().count()));
        if (ready > 0) return true;
        if (ready == 0 || errno != EINTR) return false;
    }
}

} // namespace

Socket::Socket(int descriptor) : descriptor_(descriptor) { open_sockets::add(descriptor); }

Socket::Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

Socket::~Socket() {
    if (descriptor_ >= 0) open_sockets::close(descriptor_);
}

Result<Socket> Socket::connect_to(const Place& place, const Deadline& deadline, Interruption& interruption) {
    const auto address = address_of(place.path);
    if (!address) return address.error();
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return unreachable("No socket can be made: " + text_of_errno(errno) + ".", "");
    Socket made(descriptor);
    const int failed = connect_within(descriptor, *address, deadline, interruption);
    if (failed != 0) return not_connected(place, failed);
    if (auto checked = check_listener(descriptor, place); !checked) return checked.error();
    return made;
}

Socket::Sent Socket::send(std::span<const std::string_view> texts, const Deadline& deadline) const {
    bool any = false;
    for (std::string_view text : texts) {
        while (!text.empty()) {
            if (!wait_for(descriptor_, POLLOUT, deadline)) return {Outcome::timed_out, any, false};
            const ssize_t sent = ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent < 0 && (errno == EAGAIN || errno == EINTR)) continue;
            if (sent < 0) return {Outcome::lost, any, false};
            any = true;
            text.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    return {Outcome::done, any, true};
}

Socket::Outcome Socket::receive(char* room, std::size_t size, std::size_t& received, const Deadline& deadline,
                                const Wake* wake) const {
    while (true) {
        if (!wait_for(descriptor_, POLLIN, deadline, wake)) return Outcome::timed_out;
        if (wake != nullptr && wake->take()) return Outcome::woken;
        const ssize_t got = recv(descriptor_, room, size, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (got <= 0) return Outcome::lost;
        received = static_cast<std::size_t>(got);
        return Outcome::done;
    }
}

void Socket::shut_down() const { ::shutdown(descriptor_, SHUT_RDWR); }

} // namespace credlease::client
