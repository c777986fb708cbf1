#pragma once

#include <cstddef>
#include <span>

namespace credlease::crypto {

/// Bytes as libsodium takes them. For this room's own .cpp files.
[[nodiscard]] inline const unsigned char* data_of(std::span<const std::byte> bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}
[[nodiscard]] inline unsigned char* data_of(std::span<std::byte> bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

} // namespace credlease::crypto
