#pragma once

#include "secret/secret_buffer.hpp"

#include <sodium.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace credlease::test {

/// A secret that no text of this program holds: random letters, made and kept in the arena.
inline secret::SecretBuffer plant(secret::Arena& arena, std::size_t size, secret::Share share) {
    auto secret = secret::SecretBuffer::make(arena, size, share);
    secret->expose_to_write([](std::span<std::byte> bytes) {
        randombytes_buf(bytes.data(), bytes.size());
        for (std::byte& byte : bytes) byte = static_cast<std::byte>('A' + std::to_integer<int>(byte) % 26);
    });
    // The registers it was made in lie on the stack, where the dynamic linker saved them to resolve a function.
    secret::wipe_traces();
    return std::move(*secret);
}

/// BEFORE the secret AFTER, in the arena.
inline secret::SecretBuffer around(secret::Arena& arena, secret::Share share, std::string_view before,
                                   const secret::SecretBuffer& secret, std::string_view after = {}) {
    auto made = secret::SecretBuffer::make(arena, before.size() + secret.size() + after.size(), share);
    made->expose_to_write([&](std::span<std::byte> out) {
        std::ranges::copy(secret::as_bytes(before), out.begin());
        secret.expose([&](std::span<const std::byte> bytes) {
            std::ranges::copy(bytes, out.begin() + static_cast<std::ptrdiff_t>(before.size()));
        });
        std::ranges::copy(secret::as_bytes(after), out.end() - static_cast<std::ptrdiff_t>(after.size()));
    });
    return std::move(*made);
}

/// Walks the writable memory of this process, the arena apart, for any 8 consecutive bytes of `secret` and returns how
/// many places hold some. The secret is compared through a mask, so that the walk leaves no trace of its own.
class TraceWalk {
  public:
    explicit TraceWalk(const secret::Arena& arena) : arena_(arena) {}

    [[nodiscard]] std::size_t count(const secret::SecretBuffer& secret) const {
        const auto windows = masked_windows(secret);
        std::size_t found = 0;
        for (const auto [begin, end] : writable_memory()) {
            for (std::uintptr_t at = begin; at + window <= end; ++at) {
                if (holds_one(at, windows)) ++found;
            }
        }
        return found;
    }

  private:
    static constexpr std::size_t window = 8;
    static constexpr std::uint64_t mask = 0xa5a5a5a5a5a5a5a5;

    static std::vector<std::uint64_t> masked_windows(const secret::SecretBuffer& secret) {
        return secret.expose([](std::span<const std::byte> bytes) {
            std::vector<std::uint64_t> made(bytes.size() - window + 1);
            for (std::size_t at = 0; at < made.size(); ++at) {
                auto* const out = reinterpret_cast<volatile unsigned char*>(&made[at]);
                for (std::size_t i = 0; i < window; ++i)
                    out[i] = static_cast<unsigned char>(std::to_integer<unsigned>(bytes[at + i]) ^ (mask & 0xff));
            }
            return made;
        });
    }

    static bool holds_one(std::uintptr_t at, const std::vector<std::uint64_t>& windows) {
        std::uint64_t here = 0;
        std::memcpy(&here, reinterpret_cast<const void*>(at), sizeof here);
        here ^= mask;
        for (const std::uint64_t each : windows) {
            if (here == each) return true;
        }
        return false;
    }

    std::vector<std::pair<std::uintptr_t, std::uintptr_t>> writable_memory() const {
        std::vector<std::pair<std::uintptr_t, std::uintptr_t>> found;
        std::ifstream maps("/proc/self/maps");
        for (std::string line; std::getline(maps, line);) {
            std::istringstream fields(line);
            std::uintptr_t begin = 0;
            std::uintptr_t end = 0;
            char dash = 0;
            std::string rights;
            fields >> std::hex >> begin >> dash >> end >> rights;
            if (rights.starts_with("rw") && !arena_.contains(reinterpret_cast<const void*>(begin)))
                found.emplace_back(begin, end);
        }
        return found;
    }

    const secret::Arena& arena_;
};

} // namespace credlease::test
