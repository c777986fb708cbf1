#pragma once

#include "secret/secret_buffer.hpp"

#include <algorithm>
#include <cstddef>

namespace credlease::vault {

/// Counts what would be written.
struct Count {
    std::size_t size = 0;
    void append(const char* /*bytes*/, std::size_t count) { size += count; }
};

/// Memory of the arena that is filled from its start.
struct Filled {
    char* at = nullptr;
    void append(const char* bytes, std::size_t count) { at = std::copy_n(bytes, count, at); }
};

/// What `write_all` writes, in an arena slot of its size: `write_all` is called twice, and the first time only counted.
template <class Write>
[[nodiscard]] result::Result<secret::SecretBuffer> encode(secret::Arena& arena, secret::Share share,
                                                          const Write& write_all) {
    Count count;
    write_all(count);
    auto buffer = secret::SecretBuffer::make(arena, count.size, share);
    if (!buffer) return result::refuse(std::move(buffer.error()));
    buffer->expose_to_write([&](std::span<std::byte> bytes) {
        Filled filled{reinterpret_cast<char*>(bytes.data())};
        write_all(filled);
    });
    return buffer;
}

} // namespace credlease::vault
