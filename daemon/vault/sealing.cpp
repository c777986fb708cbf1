#include "vault/sealing.hpp"

#include "vault/records.hpp"

#include <algorithm>
#include <array>
#include <memory_resource>

namespace credlease::vault {
namespace {

/// The associated data of one credential: on the stack, where they are not unusually large.
class Binding {
  public:
    explicit Binding(const vocabulary::Credential& credential) {
        text_.reserve(space_.size() - 1);
        write_binding(credential, text_);
    }
    [[nodiscard]] crypto::Bytes bytes() const { return secret::as_bytes(text_); }

  private:
    std::array<char, 1536> space_;
    std::pmr::monotonic_buffer_resource memory_{space_.data(), space_.size()};
    std::pmr::string text_{&memory_};
};

} // namespace

std::vector<std::byte> seal_fields(const crypto::WorkspaceKey& key, const vocabulary::Credential& credential,
                                   const FieldSet& fields) {
    const Binding binding(credential);
    return fields.encoded().expose(
        [&](std::span<const std::byte> plaintext) { return crypto::seal(key, plaintext, {binding.bytes()}); });
}

result::Result<FieldSet> open_fields(const crypto::WorkspaceKey& key, const Entry& entry, secret::Arena& arena) {
    const Binding binding(entry.credential);
    auto opened = crypto::open(key, entry.sealed, {binding.bytes()}, arena, secret::Share::leases);
    if (opened) return FieldSet(std::move(*opened));
    if (opened.error().code != result::ErrorCode::damaged) return result::refuse(std::move(opened.error()));
    return result::refuse({.code = result::ErrorCode::damaged,
                           .sentence = "The credential's stored secret does not authenticate.",
                           .next_step = "Restore a backup, or delete the credential and create it anew.",
                           .about = result::PublicText::of(entry.credential.id.text())});
}

std::array<std::uint8_t, 8> fingerprint_of(const mac::FingerprintMac& mac, const FieldSet& fields) {
    std::array<std::uint8_t, 8> fingerprint{};
    if (fields.empty()) return fingerprint;
    const mac::Digest digest =
        fields.encoded().expose([&](std::span<const std::byte> plaintext) { return mac.of({plaintext}); });
    std::copy_n(digest.begin(), fingerprint.size(), fingerprint.begin());
    return fingerprint;
}

} // namespace credlease::vault
