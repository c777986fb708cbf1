#pragma once

#include "crypto/crypto.hpp"
#include "vault/vault.hpp"

namespace credlease::vault {

/// The fields under the scope's key, bound to the credential (write_binding).
[[nodiscard]] std::vector<std::byte> seal_fields(const crypto::WorkspaceKey& key,
                                                 const vocabulary::Credential& credential, const FieldSet& fields);
/// `damaged` names the credential. No heap allocation for credentials with less than 1 KiB of public fields.
[[nodiscard]] result::Result<FieldSet> open_fields(const crypto::WorkspaceKey& key, const Entry& entry,
                                                   secret::Arena& arena, secret::Share share);

/// A token set (token_set.hpp) under the scope's key, bound to the credential, its generation and what is shown of the
/// tokens (write_token_binding).
[[nodiscard]] std::vector<std::byte> seal_tokens(const crypto::WorkspaceKey& key,
                                                 const vocabulary::Credential& credential,
                                                 const vocabulary::OAuthState& state,
                                                 const secret::SecretBuffer& tokens);
/// Of an entry that has tokens. `damaged` names the credential.
[[nodiscard]] result::Result<secret::SecretBuffer> open_tokens(const crypto::WorkspaceKey& key, const Entry& entry,
                                                               secret::Arena& arena, secret::Share share);

/// The organization's client's secret (where it has none, nothing), bound to what is shown of the client
/// (write_client_binding).
[[nodiscard]] std::vector<std::byte> seal_client(const crypto::WorkspaceKey& key, const OAuthClient& client,
                                                 const secret::SecretBuffer& secret);
/// `damaged` names the service.
[[nodiscard]] result::Result<secret::SecretBuffer>
open_client(const crypto::WorkspaceKey& key, const OAuthClient& client, secret::Arena& arena, secret::Share share);

/// The first 8 bytes of a keyed hash of the plaintext, which tells equal secrets from different ones in the audit log;
/// zero for an empty one.
[[nodiscard]] std::array<std::uint8_t, 8> fingerprint_of(const mac::FingerprintMac& mac,
                                                         const secret::SecretBuffer& plaintext);
[[nodiscard]] std::array<std::uint8_t, 8> fingerprint_of(const mac::FingerprintMac& mac, const FieldSet& fields);

} // namespace credlease::vault
