#pragma once

#include <cstddef>
#include <span>

namespace credlease::secret {

/// Overwrites memory with zeros in a way that the compiler keeps (sodium_memzero).
void wipe(std::span<std::byte> bytes) noexcept;

/// Overwrites the 4 KiB of stack below the caller, where functions that have returned may have left words of a key
/// (libsodium 1.0.18's crypto_kdf and XChaCha20 leave some, at most 3 KiB deep).
void wipe_stack() noexcept;

} // namespace credlease::secret
