#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <utility>

namespace credlease::audit {

/// An open file. What fails returns false (or nothing) and leaves the cause in `errno`.
class File {
  public:
    File() = default;
    /// `flags` of open(2); O_CLOEXEC and O_NOFOLLOW go without saying. A new file is 0600.
    [[nodiscard]] static std::optional<File> open(const std::filesystem::path& path, int flags);

    File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    File& operator=(File&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~File();

    [[nodiscard]] std::optional<std::uint64_t> size() const;
    /// The bytes that were read: fewer than asked for at the end of the file only.
    [[nodiscard]] std::optional<std::size_t> read_at(std::span<std::byte> into, std::uint64_t offset) const;
    /// All or nothing that can be relied on: after a failure the bytes there are anything.
    [[nodiscard]] bool write_at(std::span<const std::byte> bytes, std::uint64_t offset) const;
    /// fdatasync(2)
    [[nodiscard]] bool sync() const;
    [[nodiscard]] bool cut(std::uint64_t size) const;
    /// posix_fallocate(3) without its slow stand-in; the file grows by zeros.
    [[nodiscard]] bool reserve(std::uint64_t offset, std::uint64_t size) const;

  private:
    explicit File(int descriptor) : descriptor_(descriptor) {}
    int descriptor_ = -1;
};

/// Makes the names in it durable.
[[nodiscard]] bool sync_directory(const std::filesystem::path& directory);

} // namespace credlease::audit
