#pragma once

#include "attestation/peer.hpp"

#include <map>
#include <memory>

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
    /// A longer file has no hash: nobody makes the broker read for hours (a sparse file costs its owner nothing).
    static constexpr std::int64_t largest = std::int64_t{1} << 30;

    /// A hash that is being made, part by part, so that whoever else waits for the same worker is served in between.
    class Making {
      public:
        explicit Making(std::shared_ptr<const Peer> peer);
        ~Making();
        Making(const Making&) = delete;
        Making& operator=(const Making&) = delete;

        /// Reads the next part. Blocks for some milliseconds: a `bulk` worker's job. False: it has come to its end, or
        /// cannot go on (the peer has exited, the file may not be read or is too long).
        [[nodiscard]] bool read_part();
        /// After the end. nullopt: it did not come to that, or the peer runs another file by now.
        [[nodiscard]] std::optional<Hashed> made() const;

      private:
        struct State;
        std::unique_ptr<State> state_;
    };

    /// Of what the process runs now, if that was hashed. Costs a few system calls.
    [[nodiscard]] std::optional<Hash> find(const Peer& peer) const;
    void keep(const Hashed& hashed);

  private:
    static constexpr std::size_t most = 1024; ///< then all are forgotten
    std::map<File, Hash> known_;
};

} // namespace credlease::attestation
