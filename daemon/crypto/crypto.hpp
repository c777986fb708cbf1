#pragma once

#include "result/result.hpp"
#include "secret/secret.hpp"

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace credlease::crypto {

struct RootKeyKind {};
struct WorkspaceKeyKind {};
struct RecordKeyKind {}; ///< parent of record, set, cursor, grant, fingerprint and digest keys
struct AuditKeyKind {};  ///< parent of the chain and head keys

using RootKey = secret::Secret<RootKeyKind>;
using WorkspaceKey = secret::Secret<WorkspaceKeyKind>;
using RecordKey = secret::Secret<RecordKeyKind>;
using AuditKey = secret::Secret<AuditKeyKind>;

inline constexpr std::size_t key_size = 32;
using Bytes = std::span<const std::byte>;

/// 32 random bytes in the arena's `keys` share.
template <class Kind> [[nodiscard]] result::Result<secret::Secret<Kind>> make_key(secret::Arena& arena);

/// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03, libsodium): a format byte, 24 random nonce bytes, the ciphertext,
/// its tag. `bound_to` are the associated data, length-prefixed part by part.
[[nodiscard]] std::vector<std::byte> seal(const WorkspaceKey& key, Bytes plaintext,
                                          std::initializer_list<Bytes> bound_to);
/// The plaintext, in `share`; `damaged` when key, bytes or associated data are not those of `seal`.
[[nodiscard]] result::Result<secret::SecretBuffer> open(const WorkspaceKey& key, Bytes sealed,
                                                        std::initializer_list<Bytes> bound_to, secret::Arena& arena,
                                                        secret::Share share);

/// A key under the root key; `purpose` ("workspace:acme", "audit") is bound to it.
template <class Kind>
[[nodiscard]] std::vector<std::byte> wrap(const RootKey& root, const secret::Secret<Kind>& key,
                                          std::string_view purpose);
template <class Kind>
[[nodiscard]] result::Result<secret::Secret<Kind>> unwrap(const RootKey& root, Bytes wrapped, std::string_view purpose,
                                                          secret::Arena& arena);

/// Argon2id (RFC 9106): how a passphrase becomes the root key.
struct PassphraseParameters {
    std::array<std::uint8_t, 16> salt{};
    std::uint64_t memory_bytes = std::uint64_t{256} << 20;
    std::uint64_t passes = 3;
};
[[nodiscard]] PassphraseParameters make_passphrase_parameters();
/// Blocks for about half a second: a `bulk` worker's job.
[[nodiscard]] result::Result<RootKey> derive_root_key(const secret::SecretBuffer& passphrase,
                                                      const PassphraseParameters& parameters, secret::Arena& arena);

/// Tells whether a root key is the one that a store was made with, and nothing else about it.
[[nodiscard]] std::array<std::uint8_t, 32> check_value(const RootKey& root);
[[nodiscard]] bool is_the_key_of(const RootKey& root, const std::array<std::uint8_t, 32>& check);

/// 32 random bytes as an opaque token: "clg_" + 43 base64url characters, in the arena.
[[nodiscard]] result::Result<secret::SecretBuffer> make_grant_token(secret::Arena& arena);

void random_bytes(std::span<std::byte> out);

} // namespace credlease::crypto
