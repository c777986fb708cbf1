#include "attestation/peer.hpp"
#include "attestation/process.hpp"

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

} // namespace

std::optional<Executable> executable_of(const Peer& peer) {
    if (!shares_our_mounts(peer.pid)) return std::nullopt;
    const auto found = identity_of(ProcPath(peer.pid, "exe").text());
    return peer.is_alive() ? found : std::nullopt; // alive: it was the peer's, not that of a later process
}

Descriptor open_executable(const Peer& peer) {
    if (!shares_our_mounts(peer.pid)) return {};
    return Descriptor(::open(ProcPath(peer.pid, "exe").text(), O_RDONLY | O_CLOEXEC));
}

std::optional<Executable> executable_at(const std::string& path) { return identity_of(path.c_str()); }

bool can_read_executables() {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
    if (::syscall(SYS_capget, &header, sets) != 0) return false;
    return (sets[CAP_TO_INDEX(CAP_SYS_PTRACE)].effective & CAP_TO_MASK(CAP_SYS_PTRACE)) != 0;
}

} // namespace credlease::attestation
