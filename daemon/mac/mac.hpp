#pragma once

#include "result/result.hpp"
#include "secret/secret.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace credlease::mac {

using Digest = std::array<std::uint8_t, 32>;
using Bytes = std::span<const std::byte>;

/// A keyed hash (BLAKE2b-256, RFC 7693, by libsodium's crypto_generichash) for one purpose. The key lies in the arena.
/// Parts are length-prefixed (8 bytes, little-endian), so that ("ab","c") and ("a","bc") differ.
template <class Purpose> class Mac {
  public:
    Mac() = default;
    explicit Mac(secret::SecretBuffer key) : key_(std::move(key)) {}

    [[nodiscard]] Digest of(std::initializer_list<Bytes> parts) const;
    [[nodiscard]] bool agrees(const Digest& digest, std::initializer_list<Bytes> parts) const;
    [[nodiscard]] bool ready() const { return !key_.empty(); }

  private:
    secret::SecretBuffer key_;
};

struct RecordPurpose {};      ///< authenticates one stored record
struct SetPurpose {};         ///< one record's share in the set hash (never stored by itself)
struct HeadPurpose {};        ///< blinds the set hash and signs the audit head
struct ChainPurpose {};       ///< the audit chain
struct CursorPurpose {};      ///< list cursors
struct GrantPurpose {};       ///< grant tokens' look-up hash
struct FingerprintPurpose {}; ///< a secret value's fingerprint in the audit log
struct DigestPurpose {};      ///< a request body under an idempotency key
struct CheckPurpose {};       ///< the key-check value

using RecordMac = Mac<RecordPurpose>;
using SetMac = Mac<SetPurpose>;
using HeadMac = Mac<HeadPurpose>;
using ChainMac = Mac<ChainPurpose>;
using CursorMac = Mac<CursorPurpose>;
using GrantMac = Mac<GrantPurpose>;
using FingerprintMac = Mac<FingerprintPurpose>;
using DigestMac = Mac<DigestPurpose>;
using CheckMac = Mac<CheckPurpose>;

/// The sub-key of `parent` (32 bytes) for `Purpose` (crypto_kdf, BLAKE2b, one context a purpose).
template <class Purpose>
[[nodiscard]] result::Result<Mac<Purpose>> make_mac(secret::Arena& arena, const secret::SecretBuffer& parent);

/// XOR of digests: order does not matter, and what is put in twice is out again.
class SetHash {
  public:
    void toggle(const Digest& element) {
        for (std::size_t i = 0; i < value_.size(); ++i) value_[i] ^= element[i];
    }
    [[nodiscard]] const Digest& value() const { return value_; }
    bool operator==(const SetHash&) const = default;

  private:
    Digest value_{};
};

/// sodium_memcmp: takes the same time wherever the first difference lies.
[[nodiscard]] bool equal_in_constant_time(Bytes left, Bytes right);

[[nodiscard]] inline Bytes bytes_of(std::string_view text) {
    return std::as_bytes(std::span<const char>(text.data(), text.size()));
}
[[nodiscard]] inline Bytes bytes_of(const Digest& digest) {
    return std::as_bytes(std::span<const std::uint8_t>(digest));
}
/// A number as 8 little-endian bytes that live as long as the returned array.
[[nodiscard]] std::array<std::byte, 8> little_endian(std::uint64_t number);

} // namespace credlease::mac
