#pragma once

#include "result/result.hpp"
#include "vault/clients.hpp"
#include "vault/tokens.hpp"
#include "vocabulary/credential.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The stored form of credentials, their sealed versions and the scopes' keys: a format byte, then store/bytes.hpp's
// numbers and texts. Nothing secret passes through here but as ciphertext. Reading checks every bound; `damaged` names
// the record's key.

namespace credlease::vault {

[[nodiscard]] std::string credential_key(const vocabulary::CredentialId& id);
[[nodiscard]] std::string write_credential(const vocabulary::Credential& credential);
[[nodiscard]] result::Result<vocabulary::Credential> read_credential(std::string_view key, std::string_view value);

/// One version's secret fields, sealed.
struct SealedVersion {
    vocabulary::CredentialId id{};
    std::uint32_t version = 0;
    vocabulary::Scope scope{}; ///< of the credential: where to find it
    std::array<std::uint8_t, 8> fingerprint{};
    std::vector<std::byte> sealed{};
};
[[nodiscard]] std::string version_key(const vocabulary::CredentialId& id, std::uint32_t version);
[[nodiscard]] std::string write_version(const SealedVersion& version);
[[nodiscard]] result::Result<SealedVersion> read_version(std::string_view key, std::string_view value);

/// A scope's wrapped key.
struct WrappedKey {
    vocabulary::Scope scope;
    std::vector<std::byte> wrapped;
};
[[nodiscard]] std::string write_key(std::span<const std::byte> wrapped);
[[nodiscard]] result::Result<WrappedKey> read_key(std::string_view key, std::string_view value);

/// The tokens of a credential's current version, sealed; by credential_key.
struct SealedTokens {
    vocabulary::CredentialId id{};
    vocabulary::Scope scope{}; ///< of the credential: where to find it
    std::uint64_t generation = 0;
    vocabulary::OAuthState state{};
    std::array<std::uint8_t, 8> fingerprint{};
    std::vector<std::byte> sealed{};
};
[[nodiscard]] std::string write_tokens(const SealedTokens& tokens);
[[nodiscard]] result::Result<SealedTokens> read_tokens(std::string_view key, std::string_view value);

/// By credential_key.
[[nodiscard]] std::string write_intent(const Intent& intent);
[[nodiscard]] result::Result<Intent> read_intent(std::string_view key, std::string_view value);

/// By service id.
[[nodiscard]] std::string write_client(const OAuthClient& client);
/// `revision`: its record's.
[[nodiscard]] result::Result<OAuthClient> read_client(std::string_view key, std::uint64_t revision,
                                                      std::string_view value);
/// What the secret of the organization's client is bound to: service, auth type, revision, client id, fields, and
/// whether there is one.
void write_client_binding(const OAuthClient& client, std::pmr::string& out);

/// What a credential's ciphertext is bound to (guarantee 1): id, version, generation, scope, service and auth type, the
/// names of its secret fields, its public fields' names, types and values. What a person gave is of generation 0.
void write_binding(const vocabulary::Credential& credential, std::uint64_t generation, std::pmr::string& out);
/// What its tokens are bound to: all of that, and what is shown of them.
void write_token_binding(const vocabulary::Credential& credential, const vocabulary::OAuthState& state,
                         std::pmr::string& out);

} // namespace credlease::vault
