#include "secret/wipe.hpp"

#include <sodium.h>

namespace credlease::secret {

void wipe(std::span<std::byte> bytes) noexcept { sodium_memzero(bytes.data(), bytes.size()); }

void wipe_stack() noexcept { sodium_stackzero(4096); }

} // namespace credlease::secret
