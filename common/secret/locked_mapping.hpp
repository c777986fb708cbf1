#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>

namespace credlease::secret {

enum class Backing : std::uint8_t {
    memfd_secret, ///< memfd_secret(2): not even root reads it through /proc
    mlock,        ///< mlock(2)ed, out of core dumps
    unlocked,     ///< may be swapped out: only where `allow_unlocked` was asked for
};
[[nodiscard]] std::string_view name_of(Backing backing);

/// Why a mapping could not be made, with the errno of the call that said so.
struct MappingFailure {
    enum class Kind : std::uint8_t {
        unavailable, ///< this kernel, or the system call filter, has no memfd_secret(2)
        over_limit,  ///< RLIMIT_MEMLOCK (getrlimit(2))
        broken,      ///< anything else
    };
    Kind kind = Kind::broken;
    int error = 0;
};

/// Readable and writable pages between two guard pages that fault when touched. Not in a core dump, and never a forked
/// child's: there the pages are gone (memfd_secret) or zero (the others), and `is_ours` says no.
class LockedMapping {
  public:
    /// `size` is a multiple of the page size. All pages are there when it returns.
    [[nodiscard]] static std::expected<LockedMapping, MappingFailure> make(std::size_t size, Backing backing);

    LockedMapping() = default;
    LockedMapping(LockedMapping&& other) noexcept;
    LockedMapping& operator=(LockedMapping&& other) noexcept;
    ~LockedMapping();

    [[nodiscard]] std::byte* data() const { return data_; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] Backing backing() const { return backing_; }
    /// False in a process that was forked after the mapping was made.
    [[nodiscard]] bool is_ours() const { return fork_mark_ != nullptr && *fork_mark_ != std::byte{0}; }

  private:
    void swap(LockedMapping& other) noexcept;
    [[nodiscard]] int reserve(std::size_t size);
    [[nodiscard]] int set_fork_mark();

    std::byte* reserved_ = nullptr; ///< guard page, data, guard page, fork mark
    std::size_t reserved_size_ = 0;
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
    std::byte* fork_mark_ = nullptr; ///< on a page of its own, which a forked child finds zeroed
    Backing backing_ = Backing::mlock;
};

} // namespace credlease::secret
