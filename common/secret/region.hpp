#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

namespace credlease::secret {

inline constexpr std::size_t smallest_slot = 64;

/// One share's part of the arena, handed out by buddies (Knuth, The Art of Computer Programming, 2.5): halves are
/// halved until the slot fits, and two free halves are one again. What is free is zero. The bookkeeping lies outside
/// the arena, so that an overrun in a slot cannot bend it.
class Region {
  public:
    /// `bytes`: zero, a power of two of at least `smallest_slot`.
    explicit Region(std::span<std::byte> bytes);

    /// The smallest slot that holds `size` bytes; empty when there is none.
    [[nodiscard]] std::span<std::byte> allocate(std::size_t size);
    /// Wipes and frees. Anything but a slot that `allocate` gave aborts: it would free another's secret.
    void release(std::span<std::byte> slot);

    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    [[nodiscard]] std::size_t used() const;
    [[nodiscard]] bool contains(const void* address) const;

  private:
    // A slot of order n has smallest_slot << n bytes. The tree's nodes are numbered like a heap: root 1, the children
    // of n are 2n and 2n+1; one row a order, the highest at the root.
    using Order = std::uint8_t;
    static constexpr Order none = 0; ///< in both tables orders are stored plus one

    [[nodiscard]] std::size_t node_of(std::size_t offset, unsigned order) const;
    void update_above(std::size_t node);

    std::span<std::byte> bytes_;
    unsigned top_; ///< order of the whole region
    mutable std::mutex mutex_;
    std::vector<Order> largest_free_; ///< by node: the largest free slot at or below it
    std::vector<Order> given_;        ///< by smallest slot: the order of the slot that begins there
    std::size_t used_ = 0;
};

} // namespace credlease::secret
