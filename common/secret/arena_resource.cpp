#include "secret/arena_resource.hpp"

#include "secret/region.hpp"

#include <new>

namespace credlease::secret {

void* ArenaResource::do_allocate(std::size_t size, std::size_t alignment) {
    const std::size_t taken = Arena::slot_size(size);
    // Slots lie at multiples of their size; nothing that JSON allocates asks for more than the smallest slot's.
    if (alignment > smallest_slot || taken > most_ - used_) throw std::bad_alloc();
    const auto slot = arena_.allocate(size, share_);
    if (slot.empty()) throw std::bad_alloc();
    used_ += taken;
    return slot.data();
}

void ArenaResource::do_deallocate(void* address, std::size_t size, std::size_t /*alignment*/) {
    const std::size_t taken = Arena::slot_size(size);
    used_ -= taken;
    arena_.release({static_cast<std::byte*>(address), taken});
}

} // namespace credlease::secret
