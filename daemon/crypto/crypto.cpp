#include "crypto/crypto.hpp"

#include "crypto/one_time.hpp"
#include "crypto/sodium_bytes.hpp"

#include <sodium.h>

#include <array>
#include <cstdlib>
#include <memory_resource>
#include <vector>

namespace credlease::crypto {
namespace {

using result::ErrorCode;
using result::Result;
using secret::SecretBuffer;

constexpr std::byte xchacha20_poly1305{1}; ///< the format byte
constexpr std::size_t nonce_size = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_size = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t head_size = 1 + nonce_size;
/// Bound to every wrapped key, so that nothing else that a root key may seal one day is taken for one.
constexpr std::string_view wrapped_key = "wrapped key";
static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == key_size);

/// Part by part, each behind its length in 8 little-endian bytes: ("ab","c") and ("a","bc") differ. On the stack, where
/// they are not unusually large: a lease is opened without the heap.
class AssociatedData {
  public:
    explicit AssociatedData(std::initializer_list<Bytes> parts) {
        std::size_t size = 0;
        for (const Bytes part : parts) size += 8 + part.size();
        made_.reserve(size);
        for (const Bytes part : parts) {
            for (unsigned shift = 0; shift < 64; shift += 8) {
                made_.push_back(static_cast<std::byte>(part.size() >> shift));
            }
            made_.insert(made_.end(), part.begin(), part.end());
        }
    }
    [[nodiscard]] Bytes bytes() const { return made_; }

  private:
    std::array<std::byte, 2048> space_;
    std::pmr::monotonic_buffer_resource memory_{space_.data(), space_.size()};
    std::pmr::vector<std::byte> made_{&memory_};
};

void require_key(const SecretBuffer& key) {
    if (key.size() != key_size) std::abort(); // no key of ours has another size: a broken daemon
}

std::vector<std::byte> seal_bytes(const SecretBuffer& key, Bytes plaintext, std::initializer_list<Bytes> bound_to) {
    require_key(key);
    const AssociatedData bound(bound_to);
    std::vector<std::byte> sealed(head_size + plaintext.size() + tag_size);
    const std::span<std::byte> out(sealed);
    out[0] = xchacha20_poly1305;
    const auto nonce = out.subspan(1, nonce_size);
    random_bytes(nonce);
    key.expose([&](Bytes bytes) {
        crypto_aead_xchacha20poly1305_ietf_encrypt(data_of(out.subspan(head_size)), nullptr, data_of(plaintext),
                                                   plaintext.size(), data_of(bound.bytes()), bound.bytes().size(),
                                                   nullptr, data_of(nonce), data_of(bytes));
    });
    secret::wipe_traces();
    return sealed;
}

result::Failure damaged() {
    return result::refuse({.code = ErrorCode::damaged,
                           .sentence = "Sealed data do not open: they, their place or their key were changed.",
                           .next_step = "Restore them from a backup."});
}

Result<SecretBuffer> open_bytes(const SecretBuffer& key, Bytes sealed, std::initializer_list<Bytes> bound_to,
                                secret::Arena& arena, secret::Share share) {
    require_key(key);
    if (sealed.size() < head_size + tag_size || sealed[0] != xchacha20_poly1305) return damaged();
    const AssociatedData bound(bound_to);
    const Bytes nonce = sealed.subspan(1, nonce_size);
    const Bytes ciphertext = sealed.subspan(head_size);
    auto plaintext = SecretBuffer::make(arena, ciphertext.size() - tag_size, share);
    if (!plaintext) return plaintext;
    const bool opened = key.expose([&](Bytes bytes) {
        return plaintext->expose_to_write([&](std::span<std::byte> out) {
            return crypto_aead_xchacha20poly1305_ietf_decrypt(
                       data_of(out), nullptr, nullptr, data_of(ciphertext), ciphertext.size(), data_of(bound.bytes()),
                       bound.bytes().size(), data_of(nonce), data_of(bytes)) == 0;
        });
    });
    secret::wipe_traces();
    if (!opened) return damaged();
    return plaintext;
}

} // namespace

template <class Kind> Result<secret::Secret<Kind>> make_key(secret::Arena& arena) {
    auto key = SecretBuffer::make(arena, key_size, secret::Share::keys);
    if (!key) return result::refuse(std::move(key.error()));
    key->expose_to_write([](std::span<std::byte> bytes) { random_bytes(bytes); });
    return secret::Secret<Kind>(std::move(*key));
}

std::vector<std::byte> seal(const WorkspaceKey& key, Bytes plaintext, std::initializer_list<Bytes> bound_to) {
    return seal_bytes(key.buffer(), plaintext, bound_to);
}

Result<SecretBuffer> open(const WorkspaceKey& key, Bytes sealed, std::initializer_list<Bytes> bound_to,
                          secret::Arena& arena, secret::Share share) {
    return open_bytes(key.buffer(), sealed, bound_to, arena, share);
}

template <class Kind>
std::vector<std::byte> wrap(const RootKey& root, const secret::Secret<Kind>& key, std::string_view purpose) {
    return key.expose([&](Bytes bytes) {
        return seal_bytes(root.buffer(), bytes, {secret::as_bytes(wrapped_key), secret::as_bytes(purpose)});
    });
}

template <class Kind>
Result<secret::Secret<Kind>> unwrap(const RootKey& root, Bytes wrapped, std::string_view purpose,
                                    secret::Arena& arena) {
    auto key = open_bytes(root.buffer(), wrapped, {secret::as_bytes(wrapped_key), secret::as_bytes(purpose)}, arena,
                          secret::Share::keys);
    if (!key) return result::refuse(std::move(key.error()));
    if (key->size() != key_size) return damaged();
    return secret::Secret<Kind>(std::move(*key));
}

std::array<std::uint8_t, 32> check_value(const RootKey& root) {
    constexpr std::string_view text = "credlease root key check 1"; // part of the format
    require_key(root.buffer());
    std::array<std::uint8_t, 32> check{};
    root.expose([&](Bytes key) {
        crypto_generichash(check.data(), check.size(), data_of(secret::as_bytes(text)), text.size(), data_of(key),
                           key.size());
    });
    secret::wipe_traces();
    return check;
}

bool is_the_key_of(const RootKey& root, const std::array<std::uint8_t, 32>& check) {
    return sodium_memcmp(check_value(root).data(), check.data(), check.size()) == 0;
}

Result<SecretBuffer> make_grant_token(secret::Arena& arena) { return make_random_text(arena, "clg_"); }

void random_bytes(std::span<std::byte> out) { randombytes_buf(out.data(), out.size()); }

template Result<RootKey> make_key<RootKeyKind>(secret::Arena&);
#define CREDLEASE_WRAPPED_KEY(Kind)                                                                                    \
    template Result<secret::Secret<Kind>> make_key<Kind>(secret::Arena&);                                              \
    template std::vector<std::byte> wrap<Kind>(const RootKey&, const secret::Secret<Kind>&, std::string_view);         \
    template Result<secret::Secret<Kind>> unwrap<Kind>(const RootKey&, Bytes, std::string_view, secret::Arena&);
CREDLEASE_WRAPPED_KEY(WorkspaceKeyKind)
CREDLEASE_WRAPPED_KEY(RecordKeyKind)
CREDLEASE_WRAPPED_KEY(AuditKeyKind)
#undef CREDLEASE_WRAPPED_KEY

} // namespace credlease::crypto
