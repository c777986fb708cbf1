#include "secret/wipe.hpp"

#include <sodium.h>

namespace credlease::secret {

void wipe(std::span<std::byte> bytes) noexcept { sodium_memzero(bytes.data(), bytes.size()); }

void wipe_stack(std::size_t depth) noexcept { sodium_stackzero(depth); }

} // namespace credlease::secret
