#pragma once

#include <cstddef>
#include <span>

namespace credlease::secret {

/// Overwrites memory with zeros in a way that the compiler keeps (sodium_memzero).
void wipe(std::span<std::byte> bytes) noexcept;

} // namespace credlease::secret
