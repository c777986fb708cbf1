#include "crypto/one_time.hpp"

#include "crypto/crypto.hpp"
#include "crypto/sodium_bytes.hpp"

#include <sodium.h>

#include <array>

namespace credlease::crypto {
namespace {

using result::Result;
using secret::SecretBuffer;

constexpr int base64url = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
constexpr std::size_t encoded_size = sodium_base64_ENCODED_LEN(key_size, base64url); // with a NUL
static_assert(crypto_hash_sha256_BYTES == key_size);

} // namespace

Result<SecretBuffer> make_random_text(secret::Arena& arena, std::string_view prefix) {
    auto random = SecretBuffer::make(arena, key_size, secret::Share::tokens);
    if (!random) return random;
    auto made = SecretBuffer::make(arena, prefix.size() + encoded_size, secret::Share::tokens);
    if (!made) return made;
    random->expose_to_write([](std::span<std::byte> bytes) { random_bytes(bytes); });
    made->expose_to_write([&](std::span<std::byte> out) {
        char* const text = reinterpret_cast<char*>(out.data());
        prefix.copy(text, prefix.size());
        random->expose([&](Bytes bytes) {
            sodium_bin2base64(text + prefix.size(), encoded_size, data_of(bytes), bytes.size(), base64url);
        });
    });
    made->shrink(prefix.size() + encoded_size - 1);
    return made;
}

std::string challenge_of(const SecretBuffer& verifier) {
    std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
    verifier.expose([&](Bytes bytes) { crypto_hash_sha256(digest.data(), data_of(bytes), bytes.size()); });
    secret::wipe_traces();
    std::array<char, encoded_size> text{};
    sodium_bin2base64(text.data(), text.size(), digest.data(), digest.size(), base64url);
    return text.data();
}

bool agree(const SecretBuffer& left, const SecretBuffer& right) {
    if (left.empty() || left.size() != right.size()) return false;
    const bool same = left.expose([&](Bytes a) {
        return right.expose([&](Bytes b) { return sodium_memcmp(a.data(), b.data(), a.size()) == 0; });
    });
    secret::wipe_traces();
    return same;
}

} // namespace credlease::crypto
