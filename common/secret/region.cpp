#include "secret/region.hpp"

#include "secret/wipe.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>

namespace credlease::secret {
namespace {

unsigned order_of(std::size_t size) {
    const std::size_t slots = (std::max(size, smallest_slot) + smallest_slot - 1) / smallest_slot;
    return static_cast<unsigned>(std::bit_width(slots - 1));
}

} // namespace

Region::Region(std::span<std::byte> bytes)
    : bytes_(bytes), top_(order_of(bytes.size())), largest_free_(std::size_t{2} << top_),
      given_(std::size_t{1} << top_, none) {
    for (std::size_t node = 1; node < largest_free_.size(); ++node) {
        const auto depth = static_cast<unsigned>(std::bit_width(node)) - 1;
        largest_free_[node] = static_cast<Order>(top_ - depth + 1);
    }
}

std::span<std::byte> Region::allocate(std::size_t size) {
    if (size > bytes_.size()) return {};
    const unsigned order = order_of(size);
    const std::lock_guard lock(mutex_);
    if (largest_free_[1] <= order) return {};

    std::size_t node = 1;
    for (unsigned at = top_; at > order; --at) {
        // The tighter fit of the two keeps large slots whole.
        const Order left = largest_free_[2 * node];
        const Order right = largest_free_[2 * node + 1];
        const bool go_left = left > order && (right <= order || left <= right);
        node = 2 * node + (go_left ? 0 : 1);
    }
    largest_free_[node] = none;
    update_above(node);

    const std::size_t index = (node << order) - (std::size_t{1} << top_); // of its first smallest slot
    given_[index] = static_cast<Order>(order + 1);
    const std::size_t slot_size = smallest_slot << order;
    used_ += slot_size;
    return bytes_.subspan(index * smallest_slot, slot_size);
}

void Region::release(std::span<std::byte> slot) {
    const auto offset = static_cast<std::size_t>(slot.data() - bytes_.data());
    const unsigned order = order_of(slot.size());
    const std::lock_guard lock(mutex_);
    const bool is_a_slot = offset < bytes_.size() && offset % smallest_slot == 0 &&
                           given_[offset / smallest_slot] == order + 1 && slot.size() == smallest_slot << order;
    if (!is_a_slot) std::abort();

    wipe(slot);
    given_[offset / smallest_slot] = none;
    used_ -= slot.size();
    const std::size_t node = node_of(offset, order);
    largest_free_[node] = static_cast<Order>(order + 1);
    update_above(node);
}

std::size_t Region::used() const {
    const std::lock_guard lock(mutex_);
    return used_;
}

bool Region::contains(const void* address) const {
    const auto at = reinterpret_cast<std::uintptr_t>(address);
    const auto begin = reinterpret_cast<std::uintptr_t>(bytes_.data());
    return at >= begin && at - begin < bytes_.size();
}

std::size_t Region::node_of(std::size_t offset, unsigned order) const {
    return ((std::size_t{1} << top_) + offset / smallest_slot) >> order;
}

void Region::update_above(std::size_t node) {
    auto whole = static_cast<Order>(top_ + 2 - static_cast<unsigned>(std::bit_width(node))); // if `node` is free
    for (node /= 2; node > 0; node /= 2) {
        const Order left = largest_free_[2 * node];
        const Order right = largest_free_[2 * node + 1];
        const bool both_whole = left == whole && right == whole;
        ++whole;
        const Order now = both_whole ? whole : std::max(left, right);
        if (largest_free_[node] == now) return;
        largest_free_[node] = now;
    }
}

} // namespace credlease::secret
