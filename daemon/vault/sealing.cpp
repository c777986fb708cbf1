#include "vault/sealing.hpp"

#include "vault/records.hpp"

#include <algorithm>
#include <array>
#include <memory_resource>

namespace credlease::vault {
namespace {

using result::Result;
using secret::SecretBuffer;

/// Associated data: on the stack, where they are not unusually large.
class Binding {
  public:
    /// Of the fields that a person gave.
    explicit Binding(const vocabulary::Credential& credential) {
        text_.reserve(space_.size() - 1);
        write_binding(credential, 0, text_);
    }
    Binding(const vocabulary::Credential& credential, const vocabulary::OAuthState& state) {
        text_.reserve(space_.size() - 1);
        write_token_binding(credential, state, text_);
    }
    explicit Binding(const OAuthClient& client) {
        text_.reserve(space_.size() - 1);
        write_client_binding(client, text_);
    }
    [[nodiscard]] crypto::Bytes bytes() const { return secret::as_bytes(text_); }

  private:
    std::array<char, 1536> space_;
    std::pmr::monotonic_buffer_resource memory_{space_.data(), space_.size()};
    std::pmr::string text_{&memory_};
};

std::vector<std::byte> seal(const crypto::WorkspaceKey& key, const SecretBuffer& buffer, const Binding& binding) {
    return buffer.expose(
        [&](std::span<const std::byte> plaintext) { return crypto::seal(key, plaintext, {binding.bytes()}); });
}

/// What does not authenticate is told of the credential.
Result<SecretBuffer> named(Result<SecretBuffer> opened, const vocabulary::Credential& credential) {
    if (opened || opened.error().code != result::ErrorCode::damaged) return opened;
    return result::refuse({.code = result::ErrorCode::damaged,
                           .sentence = "The credential's stored secret does not authenticate.",
                           .next_step = "Restore a backup, or delete the credential and create it anew.",
                           .about = result::PublicText::of(credential.id.text())});
}

} // namespace

std::vector<std::byte> seal_fields(const crypto::WorkspaceKey& key, const vocabulary::Credential& credential,
                                   const FieldSet& fields) {
    return seal(key, fields.encoded(), Binding(credential));
}

Result<FieldSet> open_fields(const crypto::WorkspaceKey& key, const Entry& entry, secret::Arena& arena,
                             secret::Share share) {
    const Binding binding(entry.credential);
    auto opened = named(crypto::open(key, entry.sealed, {binding.bytes()}, arena, share), entry.credential);
    if (!opened) return result::refuse(std::move(opened.error()));
    return FieldSet(std::move(*opened));
}

std::vector<std::byte> seal_tokens(const crypto::WorkspaceKey& key, const vocabulary::Credential& credential,
                                   const vocabulary::OAuthState& state, const SecretBuffer& tokens) {
    return seal(key, tokens, Binding(credential, state));
}

Result<SecretBuffer> open_tokens(const crypto::WorkspaceKey& key, const Entry& entry, secret::Arena& arena,
                                 secret::Share share) {
    const HeldTokens& held = *entry.tokens;
    const Binding binding(entry.credential, held.sealed_with ? *held.sealed_with : held.state);
    return named(crypto::open(key, held.sealed, {binding.bytes()}, arena, share), entry.credential);
}

std::vector<std::byte> seal_client(const crypto::WorkspaceKey& key, const OAuthClient& client,
                                   const SecretBuffer& secret) {
    return seal(key, secret, Binding(client));
}

Result<SecretBuffer> open_client(const crypto::WorkspaceKey& key, const OAuthClient& client, secret::Arena& arena,
                                 secret::Share share) {
    const Binding binding(client);
    auto opened = crypto::open(key, client.sealed, {binding.bytes()}, arena, share);
    if (opened || opened.error().code != result::ErrorCode::damaged) return opened;
    return damaged_client(client);
}

std::array<std::uint8_t, 8> fingerprint_of(const mac::FingerprintMac& mac, const FieldSet& fields) {
    return fingerprint_of(mac, fields.encoded());
}

std::array<std::uint8_t, 8> fingerprint_of(const mac::FingerprintMac& mac, const SecretBuffer& secret) {
    std::array<std::uint8_t, 8> fingerprint{};
    if (secret.empty()) return fingerprint;
    const mac::Digest digest = secret.expose([&](std::span<const std::byte> plaintext) { return mac.of({plaintext}); });
    std::copy_n(digest.begin(), fingerprint.size(), fingerprint.begin());
    return fingerprint;
}

} // namespace credlease::vault
