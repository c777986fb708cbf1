#pragma once

#include "result/result.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>

namespace credlease::attestation {

/// A file descriptor that is closed when it dies.
class Descriptor {
  public:
    Descriptor() = default;
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        if (this != &other) {
            close();
            number_ = std::exchange(other.number_, -1);
        }
        return *this;
    }
    ~Descriptor() { close(); }
    [[nodiscard]] int number() const { return number_; }
    [[nodiscard]] bool open() const { return number_ >= 0; }
    void close();

  private:
    int number_ = -1;
};

/// An executable as the kernel knows it: device and inode, never a path (a path can be forged, see
/// mount_namespaces(7)).
struct Executable {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    auto operator<=>(const Executable&) const = default;
};

enum class PeerKey : std::uint8_t { pidfd, pid }; ///< what identifies a peer here (`status`'s "peer")

/// The process at the other end of a socket, by the kernel's word at accept (SO_PEERCRED, SO_PEERPIDFD: unix(7)).
struct Peer {
    pid_t pid = 0; ///< thread group id
    uid_t uid = 0;
    gid_t gid = 0;
    Descriptor pidfd;                       ///< readable once the process has exited
    std::uint64_t start_time = 0;           ///< clock ticks since boot (/proc/PID/stat, field 22)
    std::optional<Executable> executable{}; ///< absent where it may not be read, or the mounts are not ours
    std::string executable_path;            ///< for the audit log only
    std::string unit;                       ///< the first systemd unit below the system's slices; empty: none
    PeerKey key = PeerKey::pidfd;

    /// Still the process that connected: not exited, same start time.
    [[nodiscard]] bool is_alive() const;
};

/// Switches SO_PASSCRED on for a listening socket, so that the sockets accepted from it have it from their first byte
/// on. (Measured on Linux 6.18: a client that writes between accept(2) and a later setsockopt shows up as pid 0, uid
/// 65534, which `receive` takes for a stranger; what it wrote before accept carries its credentials either way.
/// Connections that were waiting before the switch don't inherit it: a systemd socket unit says `PassCredentials=yes`.)
[[nodiscard]] bool prepare_listener(int socket);

/// Takes the peer of a just accepted socket; switches SO_PASSCRED on. `unauthenticated` for a peer with pid 0 (outside
/// our pid namespace) or one that has gone; `overloaded` when no descriptor is left.
[[nodiscard]] result::Result<Peer> attest(int socket);

/// A pidfd of the process that has this pid and started then, in this boot (a lease's holder after a restart of the
/// daemon); closed if there is none any more.
[[nodiscard]] Descriptor open_process(pid_t pid, std::uint64_t start_time);

/// The executable that the process runs now (looked at again at every lease for rules with `exe`).
[[nodiscard]] std::optional<Executable> executable_of(const Peer& peer);
/// That executable's file, to be read; closed where it may not be.
[[nodiscard]] Descriptor open_executable(const Peer& peer);
/// A file's device and inode in our mount namespace.
[[nodiscard]] std::optional<Executable> executable_at(const std::string& path);

/// What reading once brought.
struct Received {
    enum class Kind : std::uint8_t { bytes, nothing_yet, end, stranger, failed };
    Kind kind = Kind::nothing_yet; ///< `stranger`: the writer is not the peer (an inherited or passed socket)
    std::size_t size = 0;          ///< bytes written to the buffer, also by a stranger
};
/// recvmsg(2) with MSG_DONTWAIT; compares the writer's credentials (SCM_CREDENTIALS) with the peer's, and leaves
/// descriptors that came along to the kernel, which closes them. `bytes` (not empty) goes to the arena: it may hold a
/// secret.
[[nodiscard]] Received receive(int socket, const Peer& peer, std::span<std::byte> bytes);

/// Which kind of key this kernel gives.
[[nodiscard]] PeerKey peer_key_here();
/// Whether /proc/PID/exe of other uids can be read (CAP_SYS_PTRACE); if not, rules with `exe` never match.
[[nodiscard]] bool can_read_executables();

/// This boot (/proc/sys/kernel/random/boot_id; throws where that can't be read).
[[nodiscard]] std::array<std::uint8_t, 16> boot_id();

} // namespace credlease::attestation
