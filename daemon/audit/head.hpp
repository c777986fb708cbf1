#pragma once

#include "audit/file.hpp"
#include "mac/mac.hpp"
#include "result/result.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>

namespace credlease::audit {

/// How far the log is known to be on the disk. It lies apart from log and store, so that a log or store that was cut
/// back does not agree with it.
struct Head {
    std::uint64_t writes = 0;               ///< counts the heads: the latest counts
    std::uint64_t seq = 0;                  ///< the last record that is durable
    mac::Digest chain{};                    ///< its chain value
    std::uint64_t changes = 0;              ///< changes of the store up to there
    mac::Digest state{};                    ///< of the store after them (state_of)
    std::uint64_t pruned = 0;               ///< records up to this one may be gone
    std::array<std::uint8_t, 16> boot_id{}; ///< of the boot in which it was written
    bool operator==(const Head&) const = default;
};

/// Two slots that are written in turn, each with a MAC, in blocks of their own: a write that is torn leaves the other.
class HeadFile {
  public:
    /// What the file says: `nullopt` when there is none, or an empty one. `damaged`: neither slot is authentic;
    /// `configuration`: a newer format.
    [[nodiscard]] static result::Result<std::optional<Head>> read(const std::filesystem::path& path,
                                                                  const mac::HeadMac& mac);
    /// Opens it for writing; makes it first, with `head` in both slots, where there is none.
    [[nodiscard]] static result::Result<HeadFile> open(const std::filesystem::path& path, const mac::HeadMac& mac,
                                                       const Head& head);

    /// Writes to the slot that is not the latest and syncs.
    [[nodiscard]] bool write(const mac::HeadMac& mac, const Head& head) const;

  private:
    explicit HeadFile(File file) : file_(std::move(file)) {}
    File file_;
};

} // namespace credlease::audit
