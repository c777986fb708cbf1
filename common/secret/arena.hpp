#pragma once

#include "result/result.hpp"
#include "secret/locked_mapping.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace credlease::secret {

/// Who a slot is for. Each share is a region of its own: what fills one cannot take from another (guarantee 19).
enum class Share : std::uint8_t {
    keys,   ///< root, record, audit and workspace keys
    leases, ///< decrypted field sets and replies that carry them
    tokens, ///< token requests and answers
    bodies, ///< what clients send: at most a quarter of the arena
    work,   ///< what is made from a body while one request is served (its JSON values)
};
inline constexpr std::size_t share_count = 5;

class Region;

struct ArenaOptions {
    enum class Choice : std::uint8_t { automatic, memfd_secret, mlock };
    Choice choice = Choice::automatic;
    std::size_t size = std::size_t{4} << 20; ///< bytes, a power of two, at least 256 KiB
    bool allow_unlocked = false; ///< for a client library in a container without a memlock limit; never the daemon
};

/// One locked mapping that holds every key and plaintext of the process: memfd_secret(2) where the kernel has it (its
/// descriptor is closed once mapped), else mlock(2) with MADV_DONTDUMP and MADV_WIPEONFORK; guard pages on both sides.
/// Slots are powers of two from 64 bytes up, wiped when they are given back. Not thread-safe but for `allocate`,
/// `release` and `used`, which take a lock. In a forked child it gives nothing and `release` does nothing.
class Arena {
  public:
    /// Refuses with `configuration` where the memory cannot be locked (RLIMIT_MEMLOCK, see getrlimit(2)) and says how
    /// much is needed and allowed. With `automatic` the size is halved down to 256 KiB until it fits the limit.
    [[nodiscard]] static result::Result<std::unique_ptr<Arena>> make(const ArenaOptions& options);

    ~Arena();
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    /// A slot of at least `size` bytes, or an empty span when the share is full. Contents are zero.
    [[nodiscard]] std::span<std::byte> allocate(std::size_t size, Share share) noexcept;
    /// Wipes and gives back what `allocate` returned; anything else (a slot given back twice) ends the process.
    void release(std::span<std::byte> slot) noexcept;

    [[nodiscard]] Backing backing() const { return mapping_.backing(); }
    [[nodiscard]] std::size_t size() const { return mapping_.size(); }
    [[nodiscard]] std::size_t share_size(Share share) const;
    [[nodiscard]] std::size_t used(Share share) const;
    [[nodiscard]] bool contains(const void* address) const;

    /// The bytes that a slot for `size` takes; for a size that no arena holds, the size itself.
    [[nodiscard]] static std::size_t slot_size(std::size_t size);

#ifdef CREDLEASE_TEST_BUILD
    /// All bytes of the mapping, for the in-process walk that guarantee 3 asks for.
    [[nodiscard]] std::span<const std::byte> all_for_test() const { return {mapping_.data(), mapping_.size()}; }
#endif

  private:
    explicit Arena(LockedMapping mapping);

    LockedMapping mapping_;
    std::array<std::unique_ptr<Region>, share_count> regions_;
};

} // namespace credlease::secret
