#pragma once

#include "attestation/peer.hpp"

#include <map>

namespace credlease::attestation {

/// SHA-256 of executables, each file read once. A file is known by what every change of it moves: device, inode, size
/// and time of change (which utimensat(2) can't set). While it runs, the kernel lets nobody write it (ETXTBSY).
class ExecutableHashes {
  public:
    using Hash = std::array<std::uint8_t, 32>;
    struct File {
        Executable executable{};
        std::int64_t size = 0;
        std::int64_t changed_seconds = 0, changed_nanoseconds = 0;
        auto operator<=>(const File&) const = default;
    };
    struct Hashed {
        File file;
        Hash hash{};
    };

    /// Of what the process runs now, if that was hashed. Costs a few system calls.
    [[nodiscard]] std::optional<Hash> find(const Peer& peer) const;
    /// Hashes it. nullopt: it may not be read, or became another meanwhile. Blocks: a `bulk` worker's job.
    [[nodiscard]] static std::optional<Hashed> make(const Peer& peer);
    void keep(const Hashed& hashed);

  private:
    static constexpr std::size_t most = 1024; ///< then all are forgotten
    std::map<File, Hash> known_;
};

} // namespace credlease::attestation
