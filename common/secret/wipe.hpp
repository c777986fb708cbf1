#pragma once

#include <cstddef>
#include <span>

namespace credlease::secret {

/// Overwrites memory with zeros in a way that the compiler keeps (sodium_memzero).
void wipe(std::span<std::byte> bytes) noexcept;

/// Overwrites the vector registers and `depth` bytes of stack below the caller, where functions that have returned may
/// have left parts of a secret. libsodium 1.0.18's crypto_kdf and XChaCha20 leave words of the key within 3 KiB, its
/// Argon2id the whole derived key within 6 KiB; what memcpy leaves in a register, the dynamic linker writes to the
/// stack when it resolves the next function (each measured).
void wipe_traces(std::size_t depth = 4096) noexcept;

} // namespace credlease::secret
