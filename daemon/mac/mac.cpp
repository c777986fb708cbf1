#include "mac/mac.hpp"

#include <sodium.h>

#include <cstdlib>

namespace credlease::mac {
namespace {

const unsigned char* data_of(Bytes bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

Digest keyed_hash(const secret::SecretBuffer& key, std::initializer_list<Bytes> parts) {
    if (key.empty()) std::abort(); // without its key this would be a hash that anyone can make: a broken daemon
    crypto_generichash_state state;
    key.expose(
        [&](Bytes bytes) { crypto_generichash_init(&state, data_of(bytes), bytes.size(), std::tuple_size_v<Digest>); });
    for (const Bytes part : parts) {
        const auto size = little_endian(part.size());
        crypto_generichash_update(&state, data_of(size), size.size());
        crypto_generichash_update(&state, data_of(part), part.size());
    }
    Digest digest;
    crypto_generichash_final(&state, digest.data(), digest.size()); // wipes the state, in which the key lay
    secret::wipe_traces();
    return digest;
}

/// A sub-key's number and context (crypto_kdf). Part of the format: never changed, never used again.
struct SubKey {
    std::uint64_t number;
    const char* context; ///< crypto_kdf_CONTEXTBYTES = 8 characters
};
template <class Purpose> constexpr SubKey sub_key{};
template <> constexpr SubKey sub_key<RecordPurpose>{1, "clrecord"};
template <> constexpr SubKey sub_key<SetPurpose>{2, "clsethsh"};
template <> constexpr SubKey sub_key<HeadPurpose>{3, "clauhead"};
template <> constexpr SubKey sub_key<ChainPurpose>{4, "clauchan"};
template <> constexpr SubKey sub_key<CursorPurpose>{5, "clcursor"};
template <> constexpr SubKey sub_key<GrantPurpose>{6, "clgrants"};
template <> constexpr SubKey sub_key<FingerprintPurpose>{7, "clfinger"};
template <> constexpr SubKey sub_key<DigestPurpose>{8, "cldigest"};
template <> constexpr SubKey sub_key<CheckPurpose>{9, "clcheckv"};

result::Result<secret::SecretBuffer> derive(secret::Arena& arena, const secret::SecretBuffer& parent, SubKey sub_key) {
    if (parent.size() != crypto_kdf_KEYBYTES) std::abort(); // no key of ours has another size: a broken daemon
    auto key = secret::SecretBuffer::make(arena, std::tuple_size_v<Digest>, secret::Share::keys);
    if (!key) return key;
    key->expose_to_write([&](std::span<std::byte> out) {
        parent.expose([&](Bytes from) {
            crypto_kdf_derive_from_key(reinterpret_cast<unsigned char*>(out.data()), out.size(), sub_key.number,
                                       sub_key.context, data_of(from));
        });
    });
    secret::wipe_traces();
    return key;
}

} // namespace

template <class Purpose> Digest Mac<Purpose>::of(std::initializer_list<Bytes> parts) const {
    return keyed_hash(key_, parts);
}

template <class Purpose> bool Mac<Purpose>::agrees(const Digest& digest, std::initializer_list<Bytes> parts) const {
    return equal_in_constant_time(bytes_of(digest), bytes_of(of(parts)));
}

template <class Purpose>
result::Result<Mac<Purpose>> make_mac(secret::Arena& arena, const secret::SecretBuffer& parent) {
    auto key = derive(arena, parent, sub_key<Purpose>);
    if (!key) return result::refuse(std::move(key.error()));
    return Mac<Purpose>(std::move(*key));
}

bool equal_in_constant_time(Bytes left, Bytes right) {
    return left.size() == right.size() && sodium_memcmp(left.data(), right.data(), left.size()) == 0;
}

std::array<std::byte, 8> little_endian(std::uint64_t number) {
    std::array<std::byte, 8> bytes;
    for (std::byte& each : bytes) {
        each = static_cast<std::byte>(number & 0xff);
        number >>= 8;
    }
    return bytes;
}

#define CREDLEASE_MAC(Purpose)                                                                                         \
    template class Mac<Purpose>;                                                                                       \
    template result::Result<Mac<Purpose>> make_mac<Purpose>(secret::Arena&, const secret::SecretBuffer&);
CREDLEASE_MAC(RecordPurpose)
CREDLEASE_MAC(SetPurpose)
CREDLEASE_MAC(HeadPurpose)
CREDLEASE_MAC(ChainPurpose)
CREDLEASE_MAC(CursorPurpose)
CREDLEASE_MAC(GrantPurpose)
CREDLEASE_MAC(FingerprintPurpose)
CREDLEASE_MAC(DigestPurpose)
CREDLEASE_MAC(CheckPurpose)
#undef CREDLEASE_MAC

} // namespace credlease::mac
