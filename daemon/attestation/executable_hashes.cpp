#include "attestation/executable_hashes.hpp"

#include "attestation/process.hpp"

#include <sys/stat.h>

namespace credlease::attestation {
namespace {

std::optional<ExecutableHashes::File> file_of(const Peer& peer) {
    const auto executable = executable_of(peer);
    struct stat info{};
    if (!executable || ::stat(ProcPath(peer.pid, "exe").text(), &info) != 0) return std::nullopt;
    const ExecutableHashes::File file{.executable = {.device = info.st_dev, .inode = info.st_ino},
                                      .size = info.st_size,
                                      .changed_seconds = info.st_ctim.tv_sec,
                                      .changed_nanoseconds = info.st_ctim.tv_nsec};
    if (file.executable != *executable) return std::nullopt;
    return file;
}

} // namespace

std::optional<ExecutableHashes::Hash> ExecutableHashes::find(const Peer& peer) const {
    const auto file = file_of(peer);
    const auto known = file ? known_.find(*file) : known_.end();
    return known == known_.end() ? std::nullopt : std::optional(known->second);
}

std::optional<ExecutableHashes::Hashed> ExecutableHashes::make(const Peer& peer) {
    const auto before = file_of(peer);
    const auto hash = before ? executable_hash(peer) : std::nullopt;
    if (!hash || file_of(peer) != before) return std::nullopt;
    return Hashed{.file = *before, .hash = *hash};
}

void ExecutableHashes::keep(const Hashed& hashed) {
    if (known_.size() >= most) known_.clear();
    known_[hashed.file] = hashed.hash;
}

} // namespace credlease::attestation
