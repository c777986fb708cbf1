#include "attestation/peer.hpp"
#include "attestation/process.hpp"

#include <sodium/crypto_hash_sha256.h>

#include <cerrno>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace credlease::attestation {
namespace {

/// Device and inode of what a path leads to (a link of /proc leads to the object itself, not to a name).
std::optional<Executable> identity_of(const char* path) {
    struct stat info{};
    if (::stat(path, &info) != 0) return std::nullopt;
    return Executable{.device = info.st_dev, .inode = info.st_ino};
}

/// In another mount namespace any file can be put in any place, and an image can be run from a file system of its own.
/// The first process's is as good as ours: a hardened unit gives the daemon one of its own, in which the same file
/// systems show the same devices and inodes.
bool shares_our_mounts(pid_t pid) {
    static const auto ours = identity_of("/proc/self/ns/mnt");
    static const auto first = identity_of("/proc/1/ns/mnt");
    const auto theirs = identity_of(ProcPath(pid, "ns/mnt").text());
    return theirs && (theirs == ours || theirs == first);
}

using Hash = std::array<std::uint8_t, crypto_hash_sha256_BYTES>;

std::optional<Hash> hash_of_file(int file) {
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    std::array<unsigned char, 65536> block; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read(2)
    for (;;) {
        const ssize_t got = ::read(file, block.data(), block.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return std::nullopt;
        if (got == 0) break;
        crypto_hash_sha256_update(&state, block.data(), static_cast<unsigned long long>(got));
    }
    Hash hash{};
    crypto_hash_sha256_final(&state, hash.data());
    return hash;
}

} // namespace

std::optional<Executable> executable_of(const Peer& peer) {
    if (!shares_our_mounts(peer.pid)) return std::nullopt;
    const auto found = identity_of(ProcPath(peer.pid, "exe").text());
    return peer.is_alive() ? found : std::nullopt; // alive: it was the peer's, not that of a later process
}

std::optional<std::array<std::uint8_t, 32>> executable_hash(const Peer& peer) {
    if (!shares_our_mounts(peer.pid)) return std::nullopt;
    const Descriptor file(::open(ProcPath(peer.pid, "exe").text(), O_RDONLY | O_CLOEXEC));
    if (!file.open()) return std::nullopt;
    const auto hash = hash_of_file(file.number());
    return peer.is_alive() ? hash : std::nullopt;
}

std::optional<Executable> executable_at(const std::string& path) { return identity_of(path.c_str()); }

bool can_read_executables() {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
    if (::syscall(SYS_capget, &header, sets) != 0) return false;
    return (sets[CAP_TO_INDEX(CAP_SYS_PTRACE)].effective & CAP_TO_MASK(CAP_SYS_PTRACE)) != 0;
}

} // namespace credlease::attestation
