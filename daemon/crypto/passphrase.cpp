#include "crypto/crypto.hpp"
#include "crypto/sodium_bytes.hpp"

#include <sodium.h>

namespace credlease::crypto {
namespace {

// What Argon2id takes, and no more than a machine has: parameters are read from a file that anyone with the disk can
// write, and a changed one must not eat the memory before the wrong key shows.
constexpr std::uint64_t most_memory = std::uint64_t{4} << 30;
constexpr std::uint64_t most_passes = 64;

constexpr std::size_t argon2_stack = std::size_t{32} << 10; ///< more than Argon2id uses

bool are_sound(const PassphraseParameters& parameters) {
    return parameters.memory_bytes >= crypto_pwhash_argon2id_MEMLIMIT_MIN && parameters.memory_bytes <= most_memory &&
           parameters.passes >= crypto_pwhash_argon2id_OPSLIMIT_MIN && parameters.passes <= most_passes;
}

bool derive(const secret::SecretBuffer& passphrase, const PassphraseParameters& parameters, std::span<std::byte> key) {
    static_assert(std::tuple_size_v<decltype(parameters.salt)> == crypto_pwhash_argon2id_SALTBYTES);
    return passphrase.expose([&](Bytes bytes) {
        const std::string_view text = secret::as_text(bytes);
        return crypto_pwhash_argon2id(data_of(key), key.size(), text.data(), text.size(), parameters.salt.data(),
                                      parameters.passes, parameters.memory_bytes,
                                      crypto_pwhash_argon2id_ALG_ARGON2ID13);
    }) == 0;
}

} // namespace

PassphraseParameters make_passphrase_parameters() {
    PassphraseParameters made;
    random_bytes(std::as_writable_bytes(std::span(made.salt)));
    return made;
}

result::Result<RootKey> derive_root_key(const secret::SecretBuffer& passphrase, const PassphraseParameters& parameters,
                                        secret::Arena& arena) {
    if (passphrase.empty())
        return result::refuse(result::invalid("passphrase", "A passphrase has at least one character."));
    if (!are_sound(parameters)) {
        return result::refuse({.code = result::ErrorCode::damaged,
                               .sentence = "The passphrase's parameters are damaged.",
                               .next_step = "Restore the file `seal` in the data directory from a backup."});
    }
    auto key = secret::SecretBuffer::make(arena, key_size, secret::Share::keys);
    if (!key) return result::refuse(std::move(key.error()));
    const bool derived =
        key->expose_to_write([&](std::span<std::byte> out) { return derive(passphrase, parameters, out); });
    secret::wipe_traces(argon2_stack);
    if (!derived) {
        return result::refuse(
            {.code = result::ErrorCode::overloaded,
             .sentence = "There is not enough memory to derive the key from its passphrase.",
             .next_step = "Free some memory, then try again.",
             .about = result::PublicText::of(std::to_string(parameters.memory_bytes >> 20) + " MiB")});
    }
    return RootKey(std::move(*key));
}

} // namespace credlease::crypto
