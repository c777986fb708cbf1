#pragma once

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>

namespace credlease::tests {

/// What a disk still has after a power loss: of each file its bytes as they were at its last fsync(2), of each folder
/// its entries as at the folder's own last fsync. That is the least that a file system promises (fsync(2): "does not
/// necessarily ensure that the entry in the directory containing the file has also reached disk").
///
/// It is a folder with a file for each inode that was synced, named by inode number and time of birth: numbers are
/// given again. Each is written whole, then renamed, so that a kill in the middle leaves what was there before.
class DurableMemory {
  public:
    explicit DurableMemory(std::filesystem::path folder) : folder_(std::move(folder)) {}

    /// A file or a folder is synced now; false when it could not be written down.
    [[nodiscard]] bool note_sync(int descriptor) const;
    /// All below `path` is on the disk.
    [[nodiscard]] bool note_all(const std::filesystem::path& path) const;

    /// What of the rest a disk happens to have: nothing; or, as chance has it, each entry, each page that was written
    /// anew, and what was appended up to some byte.
    enum class Rest : std::uint8_t { lost, by_chance };
    /// Makes `path` what the disk has after a power loss.
    void lose_power(const std::filesystem::path& path, Rest rest, std::mt19937& random) const;

  private:
    std::filesystem::path folder_;
};

} // namespace credlease::tests
