#include "api/listener.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <string>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace credlease::api {
namespace {

using attestation::Descriptor;
using result::ErrorCode;
using result::PublicText;
using result::refuse;
using result::Result;
using result::StaticText;

constexpr int backlog = 4096; // the kernel's own limit (net.core.somaxconn) is what counts
constexpr mode_t permission_bits = 0777;

constexpr StaticText stop_or_part = "Stop it, or give this one a --data-dir and a --runtime-dir, and a key_file and "
                                    "head_file of its own in a --config.";

result::Failure cannot_about(StaticText sentence, StaticText next_step, const std::string& about) {
    return refuse({.code = ErrorCode::configuration,
                   .sentence = sentence,
                   .next_step = next_step,
                   .about = PublicText::of(about)});
}

result::Failure cannot(StaticText sentence, StaticText next_step, const std::filesystem::path& path, int error = 0) {
    return cannot_about(sentence, next_step,
                        path.string() + (error == 0 ? "" : std::string(": ") + std::strerror(error)));
}

/// nullopt when the path is longer than a socket's may be (unix(7)).
std::optional<sockaddr_un> address_of(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string text = path.string();
    if (text.size() >= sizeof address.sun_path) return std::nullopt;
    text.copy(address.sun_path, text.size());
    return address;
}

Descriptor open_socket() { return Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); }

const sockaddr* generic(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

/// Held while one daemon looks whether another one lives and puts its own socket in place.
Result<Descriptor> lock_directory(const std::filesystem::path& directory) {
    const auto path = directory / ".lock";
    Descriptor lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock.open()) {
        return cannot("The sockets' directory can't be written to.", "Create it, owned by the account of the daemon.",
                      directory, errno);
    }
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (::flock(lock.number(), LOCK_EX | LOCK_NB) != 0) {
        if (std::chrono::steady_clock::now() > give_up) {
            return cannot("Another daemon is starting on the same sockets.", stop_or_part, directory);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return lock;
}

/// Who listens at the other end, in words: whoever called listen(2); empty where the connection was not taken.
std::string listener_of(int connected) {
    ucred listener{};
    socklen_t size = sizeof listener;
    if (::getsockopt(connected, SOL_SOCKET, SO_PEERCRED, &listener, &size) != 0 || listener.pid <= 0) return {};
    return ": pid " + std::to_string(listener.pid) + " of uid " + std::to_string(listener.uid);
}

/// Only a socket that nobody listens on may be replaced.
Result<> check_free(const SocketPlace& place, const sockaddr_un& address) {
    struct stat status{};
    if (::lstat(place.path.c_str(), &status) != 0) {
        if (errno == ENOENT) return {};
        return cannot("The socket's place can't be looked at.", "Check the rights of its directory.", place.path,
                      errno);
    }
    if (!S_ISSOCK(status.st_mode)) {
        return cannot("Something that is not a socket is in the socket's place.", "Move it away.", place.path);
    }
    const Descriptor probe = open_socket();
    const bool is_stale = ::connect(probe.number(), generic(address), sizeof address) != 0 && errno == ECONNREFUSED;
    if (is_stale) return {};
    return cannot_about("Another daemon is listening on this socket.", stop_or_part,
                        place.path.string() + listener_of(probe.number()));
}

bool bind_closed(int socket, const sockaddr_un& address) {
    const mode_t before = ::umask(0177);
    const bool bound = ::bind(socket, generic(address), sizeof address) == 0;
    const int error = errno;
    ::umask(before);
    errno = error;
    return bound;
}

bool has_rights(const std::filesystem::path& path, const SocketPlace& place) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode) &&
           (status.st_mode & permission_bits) == (place.mode & permission_bits) &&
           (!place.group || status.st_gid == *place.group);
}

/// Gives the socket at `temporary` its rights, and only then its name.
Result<> publish(const std::filesystem::path& temporary, const SocketPlace& place) {
    constexpr auto keep_owner = static_cast<uid_t>(-1);
    if (place.group && ::lchown(temporary.c_str(), keep_owner, *place.group) != 0) {
        return cannot("The socket can't be given to its group.", "Make the daemon's account a member of that group.",
                      place.path, errno);
    }
    if (::chmod(temporary.c_str(), place.mode & permission_bits) != 0 || !has_rights(temporary, place)) {
        return cannot("The socket can't be given its rights.", "Use a directory on a file system with Unix rights.",
                      place.path, errno);
    }
    if (::rename(temporary.c_str(), place.path.c_str()) != 0) {
        return cannot("The socket can't be put in its place.", "Check the rights of its directory.", place.path, errno);
    }
    return {};
}

/// Where a passed socket is bound; nullopt for what is not a listening Unix stream socket with a path.
std::optional<std::filesystem::path> path_of(int socket) {
    sockaddr_un address{};
    socklen_t size = sizeof address;
    int listens = 0;
    int type = 0;
    socklen_t flag_size = sizeof listens;
    if (::getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &flag_size) != 0 || listens == 0) return std::nullopt;
    if (::getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &flag_size) != 0 || type != SOCK_STREAM) return std::nullopt;
    if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return std::nullopt;
    const std::size_t longest = size - offsetof(sockaddr_un, sun_path);
    if (address.sun_family != AF_UNIX || longest == 0 || address.sun_path[0] == '\0') return std::nullopt;
    return std::string(address.sun_path, ::strnlen(address.sun_path, longest));
}

} // namespace

Result<Descriptor> listen_at(const SocketPlace& place) {
    const auto temporary = place.path.parent_path() / ("." + place.path.filename().string() + ".new");
    const auto address = address_of(place.path);
    const auto temporary_address = address_of(temporary);
    if (!address || !temporary_address) {
        return cannot("The socket's path is too long.", "Use a runtime directory with a path of at most 90 bytes.",
                      place.path);
    }
    const auto lock = lock_directory(place.path.parent_path());
    if (!lock) return refuse(lock.error());
    if (auto free = check_free(place, *address); !free) return refuse(std::move(free.error()));

    ::unlink(temporary.c_str()); // of a daemon that died here
    Descriptor socket = open_socket();
    // It listens before it has its name: whoever finds it can connect.
    if (!socket.open() || !bind_closed(socket.number(), *temporary_address) ||
        ::listen(socket.number(), backlog) != 0) {
        const int error = errno;
        ::unlink(temporary.c_str());
        return cannot("The socket can't be made.", "Check the rights of its directory.", place.path, error);
    }
    if (auto published = publish(temporary, place); !published) {
        ::unlink(temporary.c_str());
        return refuse(std::move(published.error()));
    }
    return socket;
}

Result<> check_passed_socket(int socket, const SocketPlace& place) {
    const auto path = path_of(socket);
    if (!path) {
        return cannot("A socket that was passed is not a listening Unix socket with a path.",
                      "Give the socket unit a ListenStream= with a path.", place.path);
    }
    struct stat status{};
    if (::lstat(path->c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) {
        return cannot("A socket that was passed has lost its place in the file system.", "Restart its socket unit.",
                      *path);
    }
    constexpr mode_t group_bits = 0070;
    const bool is_wider = (status.st_mode & permission_bits & ~place.mode) != 0;
    const bool is_anothers = status.st_uid != 0 && status.st_uid != ::geteuid();
    const bool opens_to_group = (status.st_mode & group_bits) != 0;
    const bool is_wrong_group = opens_to_group && place.group && status.st_gid != *place.group;
    if (is_wider || is_anothers || is_wrong_group) {
        return cannot("A socket that was passed has wider rights than the config allows.",
                      "Set SocketMode=, SocketGroup= and SocketUser= of its unit to what the config says.", *path);
    }
    return {};
}

} // namespace credlease::api
