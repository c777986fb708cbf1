#define BOOST_TEST_MODULE crypto
#define BOOST_TEST_DYN_LINK
#include "crypto/crypto.hpp"

#include <boost/test/unit_test.hpp>
#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <set>
#include <string>

using namespace credlease::crypto;
namespace secret = credlease::secret;
using credlease::result::ErrorCode;

namespace {

std::string shown(const secret::SecretBuffer& buffer) {
    return buffer.expose([](Bytes bytes) { return std::string(secret::as_text(bytes)); });
}

bool same(const auto& left, const auto& right) { return shown(left.buffer()) == shown(right.buffer()); }

struct WithKey {
    std::unique_ptr<secret::Arena> arena = std::move(
        *secret::Arena::make({.choice = secret::ArenaOptions::Choice::mlock, .size = std::size_t{256} << 10}));
    WorkspaceKey key = make<WorkspaceKeyKind>();
    RootKey root = make<RootKeyKind>();

    template <class Kind> secret::Secret<Kind> make() const { return std::move(*make_key<Kind>(*arena)); }
    credlease::result::Result<secret::SecretBuffer> opened(Bytes sealed, std::initializer_list<Bytes> bound_to) const {
        return open(key, sealed, bound_to, *arena, secret::Share::leases);
    }
    secret::SecretBuffer passphrase(std::string_view text) const {
        return std::move(*secret::SecretBuffer::copy(*arena, text, secret::Share::work));
    }
};

Bytes bytes(std::string_view text) { return secret::as_bytes(text); }

/// Cheap ones, for tests alone.
PassphraseParameters quick_parameters() {
    auto made = make_passphrase_parameters();
    made.memory_bytes = std::uint64_t{64} << 10;
    made.passes = 1;
    return made;
}

} // namespace

BOOST_FIXTURE_TEST_CASE(what_was_sealed_opens_into_the_arena, WithKey) {
    for (const std::size_t size : {0u, 1u, 32u, 1000u, 40'000u}) {
        const std::string plaintext(size, 'p');
        const auto sealed = seal(key, bytes(plaintext), {bytes("cred_1"), bytes("3")});
        BOOST_TEST(sealed.size() == 1 + 24 + size + 16);
        BOOST_TEST(std::to_integer<int>(sealed[0]) == 1);
        const auto plain = opened(sealed, {bytes("cred_1"), bytes("3")});
        BOOST_REQUIRE(plain.has_value());
        BOOST_TEST(shown(*plain) == plaintext);
        plain->expose([&](Bytes at) { BOOST_TEST((size == 0 || arena->contains(at.data()))); });
    }
}

BOOST_FIXTURE_TEST_CASE(a_flipped_bit_anywhere_does_not_open, WithKey) {
    const auto sealed = seal(key, bytes("a secret"), {bytes("bound")});
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
        auto flipped = sealed;
        flipped[bit / 8] ^= std::byte(1u << (bit % 8));
        const auto plain = opened(flipped, {bytes("bound")});
        BOOST_REQUIRE(!plain.has_value());
        BOOST_REQUIRE((plain.error().code == ErrorCode::damaged));
    }
    for (std::size_t size = 0; size < sealed.size(); ++size)
        BOOST_REQUIRE(!opened(Bytes(sealed).first(size), {bytes("bound")}).has_value());
    BOOST_TEST(arena->used(secret::Share::leases) == 0u); // nothing of what failed stays behind
}

BOOST_FIXTURE_TEST_CASE(what_is_sealed_opens_only_where_it_belongs, WithKey) {
    const auto sealed = seal(key, bytes("a secret"), {bytes("cred_1"), bytes("2")});
    BOOST_TEST(opened(sealed, {bytes("cred_1"), bytes("2")}).has_value());
    BOOST_TEST(!opened(sealed, {bytes("cred_2"), bytes("2")}).has_value());
    BOOST_TEST(!opened(sealed, {bytes("cred_1"), bytes("3")}).has_value());
    BOOST_TEST(!opened(sealed, {bytes("cred_"), bytes("12")}).has_value());
    BOOST_TEST(!opened(sealed, {bytes("cred_12")}).has_value());
    BOOST_TEST(!opened(sealed, {}).has_value());
    const auto other = make<WorkspaceKeyKind>();
    BOOST_TEST(!open(other, sealed, {bytes("cred_1"), bytes("2")}, *arena, secret::Share::leases).has_value());
}

BOOST_FIXTURE_TEST_CASE(sealing_twice_makes_two_ciphertexts, WithKey) {
    BOOST_TEST((seal(key, bytes("same"), {}) != seal(key, bytes("same"), {})));
}

BOOST_FIXTURE_TEST_CASE(the_format_is_xchacha20_poly1305_over_length_prefixed_parts, WithKey) {
    const auto sealed = seal(key, bytes("a secret"), {bytes("ab"), bytes("")});
    const std::string bound("\x02\0\0\0\0\0\0\0ab\0\0\0\0\0\0\0\0", 18);
    std::string plain(8, '\0');
    const auto* const at = reinterpret_cast<const unsigned char*>(sealed.data());
    const int opened = key.expose([&](Bytes raw) {
        return crypto_aead_xchacha20poly1305_ietf_decrypt(
            reinterpret_cast<unsigned char*>(plain.data()), nullptr, nullptr, at + 25, sealed.size() - 25,
            reinterpret_cast<const unsigned char*>(bound.data()), bound.size(), at + 1,
            reinterpret_cast<const unsigned char*>(raw.data()));
    });
    BOOST_TEST(opened == 0);
    BOOST_TEST(plain == "a secret");
}

BOOST_FIXTURE_TEST_CASE(a_full_share_refuses_to_open_and_harms_nothing, WithKey) {
    const auto sealed = seal(key, bytes("a secret"), {});
    const auto all = arena->allocate(arena->share_size(secret::Share::leases), secret::Share::leases);
    BOOST_CHECK(opened(sealed, {}).error().code == ErrorCode::overloaded);
    arena->release(all);
    BOOST_TEST(opened(sealed, {}).has_value());
}

BOOST_FIXTURE_TEST_CASE(a_wrapped_key_unwraps_for_its_purpose_under_its_root_key_alone, WithKey) {
    const auto wrapped = wrap(root, key, "workspace:acme");
    const auto unwrapped = unwrap<WorkspaceKeyKind>(root, wrapped, "workspace:acme", *arena);
    BOOST_REQUIRE(unwrapped.has_value());
    BOOST_TEST(same(*unwrapped, key));
    BOOST_CHECK(unwrap<WorkspaceKeyKind>(root, wrapped, "workspace:other", *arena).error().code == ErrorCode::damaged);
    const auto other_root = make<RootKeyKind>();
    BOOST_TEST(!unwrap<WorkspaceKeyKind>(other_root, wrapped, "workspace:acme", *arena).has_value());

    const auto record = make<RecordKeyKind>();
    const auto audit = make<AuditKeyKind>();
    BOOST_TEST(same(*unwrap<RecordKeyKind>(root, wrap(root, record, "records"), "records", *arena), record));
    BOOST_TEST(same(*unwrap<AuditKeyKind>(root, wrap(root, audit, "audit"), "audit", *arena), audit));
}

BOOST_FIXTURE_TEST_CASE(new_keys_are_32_random_bytes_in_the_keys_share, WithKey) {
    std::set<std::string> keys;
    for (int i = 0; i < 100; ++i) keys.insert(shown(make<RecordKeyKind>().buffer()));
    BOOST_TEST(keys.size() == 100u);
    BOOST_TEST(keys.begin()->size() == key_size);
    const auto before = arena->used(secret::Share::keys);
    const auto one = make<AuditKeyKind>();
    BOOST_TEST(arena->used(secret::Share::keys) > before);
}

BOOST_FIXTURE_TEST_CASE(a_passphrase_makes_the_same_root_key_again, WithKey) {
    const auto parameters = quick_parameters();
    const auto first = derive_root_key(passphrase("correct horse"), parameters, *arena);
    const auto second = derive_root_key(passphrase("correct horse"), parameters, *arena);
    BOOST_REQUIRE((first.has_value() && second.has_value()));
    BOOST_TEST(same(*first, *second));
    BOOST_TEST(!same(*first, *derive_root_key(passphrase("correct horsf"), parameters, *arena)));
    BOOST_TEST(!same(*first, *derive_root_key(passphrase("correct horse"), quick_parameters(), *arena)));
}

BOOST_FIXTURE_TEST_CASE(the_derivation_is_argon2id, WithKey) {
    const auto parameters = quick_parameters();
    std::string expected(key_size, '\0');
    BOOST_REQUIRE(crypto_pwhash(reinterpret_cast<unsigned char*>(expected.data()), expected.size(), "horse", 5,
                                parameters.salt.data(), 1, std::size_t{64} << 10, crypto_pwhash_ALG_ARGON2ID13) == 0);
    BOOST_TEST(shown(derive_root_key(passphrase("horse"), parameters, *arena)->buffer()) == expected);
    BOOST_TEST(make_passphrase_parameters().memory_bytes == std::uint64_t{256} << 20);
    BOOST_TEST(make_passphrase_parameters().passes == 3u);
    BOOST_TEST((make_passphrase_parameters().salt != make_passphrase_parameters().salt));
}

BOOST_FIXTURE_TEST_CASE(unsound_passphrase_parameters_are_refused_before_they_cost_anything, WithKey) {
    auto much = quick_parameters();
    much.memory_bytes = std::uint64_t{1} << 50;
    auto many = quick_parameters();
    many.passes = 1'000'000;
    auto little = quick_parameters();
    little.memory_bytes = 100;
    auto none = quick_parameters();
    none.passes = 0;
    for (const auto& parameters : {much, many, little, none}) {
        const auto refused = derive_root_key(passphrase("horse"), parameters, *arena);
        BOOST_REQUIRE(!refused.has_value());
        BOOST_CHECK(refused.error().code == ErrorCode::damaged);
    }
    const auto empty = derive_root_key(passphrase(""), quick_parameters(), *arena);
    BOOST_CHECK(empty.error().code == ErrorCode::invalid_request);
}

BOOST_FIXTURE_TEST_CASE(a_check_value_tells_the_root_key_from_others_and_is_not_the_key, WithKey) {
    const auto check = check_value(root);
    BOOST_TEST(is_the_key_of(root, check));
    BOOST_TEST(!is_the_key_of(make<RootKeyKind>(), check));
    auto flipped = check;
    flipped[31] ^= 0x80;
    BOOST_TEST(!is_the_key_of(root, flipped));
    BOOST_TEST(shown(root.buffer()) != std::string(check.begin(), check.end()));
}

BOOST_FIXTURE_TEST_CASE(a_grant_token_is_clg_and_43_base64url_characters_in_the_arena, WithKey) {
    std::set<std::string> tokens;
    for (int i = 0; i < 100; ++i) {
        const auto token = make_grant_token(*arena);
        BOOST_REQUIRE(token.has_value());
        const std::string text = shown(*token);
        BOOST_TEST(text.size() == 47u);
        BOOST_TEST(text.starts_with("clg_"));
        constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        BOOST_TEST(text.find_first_not_of(allowed) == text.npos);
        tokens.insert(text);
    }
    BOOST_TEST(tokens.size() == 100u);
    BOOST_TEST(arena->used(secret::Share::tokens) == 0u);
}
