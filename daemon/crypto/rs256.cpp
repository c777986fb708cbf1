#include "crypto/rs256.hpp"

#include "crypto/crypto.hpp"
#include "crypto/sodium_bytes.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sodium.h>

#include <memory>
#include <optional>

namespace credlease::crypto {
namespace {

using result::Result;
using secret::SecretBuffer;

constexpr int least_bits = 2048; // RFC 7518 §3.3

using PrivateKey = std::unique_ptr<EVP_PKEY, decltype([](EVP_PKEY* key) { EVP_PKEY_free(key); })>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype([](EVP_MD_CTX* context) { EVP_MD_CTX_free(context); })>;

result::Failure refuse_key() {
    ERR_clear_error();
    return result::refuse({.code = result::ErrorCode::invalid_request,
                           .sentence = "The private key is no unencrypted RSA key of at least 2048 bits in PEM form.",
                           .next_step = "Give the whole file, from -----BEGIN to -----END.",
                           .field = result::PublicText::of("private_key")});
}

/// What stands between the BEGIN and END lines of a private key.
std::optional<std::string_view> find_base64(std::string_view pem) {
    for (const std::string_view label : {"PRIVATE KEY-----", "RSA PRIVATE KEY-----"}) {
        const std::size_t begin = pem.find(std::string(label).insert(0, "-----BEGIN "));
        if (begin == pem.npos) continue;
        const std::size_t inside = begin + std::string_view("-----BEGIN ").size() + label.size();
        const std::size_t end = pem.find("-----END ", inside);
        if (end != pem.npos) return pem.substr(inside, end - inside);
    }
    return std::nullopt;
}

/// The key's DER form (RFC 7468 §2), in the arena. Decoded here and not by OpenSSL, which copies what it reads.
Result<SecretBuffer> decode(const SecretBuffer& pem, secret::Arena& arena) {
    auto packed = SecretBuffer::make(arena, pem.size(), secret::Share::tokens);
    if (!packed) return packed;
    std::size_t size = 0;
    const bool found = pem.expose([&](Bytes bytes) {
        const auto inside = find_base64(secret::as_text(bytes));
        if (!inside) return false;
        packed->expose_to_write([&](std::span<std::byte> out) {
            for (std::size_t at = 0; at < inside->size(); ++at) {
                const char c = (*inside)[at];
                const bool is_escape = c == '\\' && at + 1 < inside->size();
                if (is_escape) ++at; // "\n" and "\r" as two characters
                if (!is_escape && !std::string_view(" \t\r\n").contains(c)) out[size++] = static_cast<std::byte>(c);
            }
        });
        return size != 0;
    });
    if (!found) return refuse_key();
    auto der = SecretBuffer::make(arena, size / 4 * 3 + 3, secret::Share::tokens);
    if (!der) return der;
    std::size_t der_size = 0;
    const bool decoded = packed->expose([&](Bytes text) {
        return der->expose_to_write([&](std::span<std::byte> out) {
            return sodium_base642bin(data_of(out), out.size(), reinterpret_cast<const char*>(text.data()), size,
                                     nullptr, &der_size, nullptr, sodium_base64_VARIANT_ORIGINAL) == 0;
        });
    });
    if (!decoded) return refuse_key();
    der->shrink(der_size);
    return der;
}

PrivateKey read_key(const SecretBuffer& der) {
    return der.expose([](Bytes bytes) {
        const unsigned char* at = data_of(bytes);
        PrivateKey key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(bytes.size())));
        const bool fits =
            key && EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key.get()) >= least_bits;
        return fits ? std::move(key) : PrivateKey();
    });
}

[[gnu::noinline]] Result<SecretBuffer> sign(const SecretBuffer& der, const SecretBuffer& text, secret::Arena& arena) {
    const PrivateKey key = read_key(der);
    if (!key) return refuse_key();
    auto signature =
        SecretBuffer::make(arena, static_cast<std::size_t>(EVP_PKEY_get_size(key.get())), secret::Share::tokens);
    if (!signature) return signature;
    const Context context(EVP_MD_CTX_new());
    if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1) {
        return refuse_key();
    }
    std::size_t size = signature->size();
    const bool is_signed = text.expose([&](Bytes bytes) {
        return signature->expose_to_write([&](std::span<std::byte> out) {
            return EVP_DigestSign(context.get(), data_of(out), &size, data_of(bytes), bytes.size()) == 1;
        });
    });
    if (!is_signed) return refuse_key();
    signature->shrink(size);
    return signature;
}

} // namespace

Result<SecretBuffer> sign_rs256(const SecretBuffer& pem, const SecretBuffer& text, secret::Arena& arena) {
    const auto der = decode(pem, arena);
    if (!der) return result::refuse(der.error());
    auto signature = sign(*der, text, arena);
    secret::wipe_traces(64 * 1024);
    return signature;
}

} // namespace credlease::crypto
