#define BOOST_TEST_DYN_LINK
#include "crypto/crypto.hpp"
#include "crypto/rs256.hpp"
#include "support/traces.hpp"

#include <boost/test/unit_test.hpp>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <malloc.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

using namespace credlease::crypto;
namespace secret = credlease::secret;

namespace {

/// What OpenSSL frees is wiped, as in the daemon, whose main sees to it before anything else.
void* take(std::size_t size, const char*, int) { return std::malloc(size); }
void give_back(void* memory, const char*, int) {
    if (memory != nullptr) secret::wipe({static_cast<std::byte*>(memory), malloc_usable_size(memory)});
    std::free(memory);
}
void* take_other(void* memory, std::size_t size, const char* file, int line) {
    void* const other = size != 0 ? take(size, file, line) : nullptr;
    if (other != nullptr && memory != nullptr) std::memcpy(other, memory, std::min(size, malloc_usable_size(memory)));
    if (other != nullptr || size == 0) give_back(memory, file, line);
    return other;
}
const bool is_wiping = CRYPTO_set_mem_functions(take, take_other, give_back) == 1;

/// A key as a provider's console would give it.
std::string pem_of(EVP_PKEY* key, bool pkcs1 = false) {
    BIO* const out = BIO_new(BIO_s_mem());
    if (pkcs1) {
        PEM_write_bio_PrivateKey_traditional(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    } else {
        PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    }
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    const std::string made(data, static_cast<std::size_t>(size));
    BIO_free(out);
    return made;
}

struct WithArena {
    std::unique_ptr<secret::Arena> arena = std::move(*secret::Arena::make({.size = std::size_t{1} << 20}));
    EVP_PKEY* key = EVP_RSA_gen(2048);
    ~WithArena() { EVP_PKEY_free(key); }

    secret::SecretBuffer text(std::string_view shown) const {
        return std::move(*secret::SecretBuffer::copy(*arena, shown, secret::Share::work));
    }
    auto sign(std::string_view pem) const { return sign_rs256(text(pem), text("header.claims"), *arena); }

    bool verifies(const secret::SecretBuffer& signature) const {
        EVP_MD_CTX* const context = EVP_MD_CTX_new();
        const std::string_view signed_text = "header.claims";
        const bool agrees = signature.expose([&](Bytes bytes) {
            EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key);
            return EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                                    reinterpret_cast<const unsigned char*>(signed_text.data()),
                                    signed_text.size()) == 1;
        });
        EVP_MD_CTX_free(context);
        return agrees;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(rs256, WithArena)

BOOST_AUTO_TEST_CASE(a_signature_verifies_with_the_public_key_from_either_pem_form) {
    const auto pkcs8 = sign(pem_of(key));
    BOOST_REQUIRE(pkcs8.has_value());
    BOOST_TEST(verifies(*pkcs8));
    const auto pkcs1 = sign(pem_of(key, true));
    BOOST_REQUIRE(pkcs1.has_value());
    BOOST_TEST(verifies(*pkcs1));
}

BOOST_AUTO_TEST_CASE(line_breaks_that_became_two_characters_are_understood) {
    std::string escaped;
    for (const char c : pem_of(key)) {
        if (c == '\n') {
            escaped += "\\n";
        } else {
            escaped += c;
        }
    }
    const auto made = sign(escaped);
    BOOST_REQUIRE(made.has_value());
    BOOST_TEST(verifies(*made));
}

BOOST_AUTO_TEST_CASE(what_is_no_rsa_key_of_2048_bits_is_refused_by_field) {
    EVP_PKEY* const small = EVP_RSA_gen(1024);
    EVP_PKEY* const curve = EVP_EC_gen("P-256");
    std::string cut = pem_of(key);
    cut.erase(200, 400);
    for (const std::string& wrong :
         {std::string(), std::string("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----"), std::string("no key"),
          pem_of(small), pem_of(curve), cut}) {
        const auto made = sign(wrong);
        BOOST_REQUIRE(!made.has_value());
        BOOST_TEST((made.error().code == credlease::result::ErrorCode::invalid_request));
        BOOST_TEST(made.error().field.text() == "private_key");
    }
    EVP_PKEY_free(small);
    EVP_PKEY_free(curve);
}

BOOST_AUTO_TEST_SUITE_END()

// A sanitizer's shadow memory is too large to walk.
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

namespace {

/// A key that was made in another process, so that this one holds it in the arena alone.
secret::SecretBuffer made_elsewhere(secret::Arena& arena) {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(pipe(ends.data()) == 0);
    const pid_t child = fork();
    if (child == 0) {
        const std::string pem = pem_of(EVP_RSA_gen(2048));
        _exit(write(ends[1], pem.data(), pem.size()) == static_cast<ssize_t>(pem.size()) ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    auto pem = std::move(*secret::SecretBuffer::make(arena, 4096, secret::Share::work));
    const auto size =
        pem.expose_to_write([&](std::span<std::byte> out) { return read(ends[0], out.data(), out.size()); });
    pem.shrink(static_cast<std::size_t>(size));
    close(ends[0]);
    close(ends[1]);
    return pem;
}

/// The private exponent as it lies in PKCS #8, and in the order of a number's words.
std::array<secret::SecretBuffer, 2> exponents_of(const secret::SecretBuffer& pem, secret::Arena& arena) {
    auto der = std::move(*secret::SecretBuffer::make(arena, 2048, secret::Share::work));
    pem.expose([&](Bytes bytes) {
        const std::string_view text = secret::as_text(bytes);
        const std::size_t begin = text.find('\n') + 1;
        std::size_t size = 0;
        der.expose_to_write([&](std::span<std::byte> out) {
            sodium_base642bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), text.data() + begin,
                              text.find("\n-----END") - begin, "\n", &size, nullptr, sodium_base64_VARIANT_ORIGINAL);
        });
    });
    return der.expose([&](Bytes bytes) {
        auto forward = std::move(*secret::SecretBuffer::copy(arena, bytes.subspan(320, 200), secret::Share::work));
        auto backward = std::move(*secret::SecretBuffer::make(arena, 200, secret::Share::work));
        backward.expose_to_write(
            [&](std::span<std::byte> out) { std::ranges::reverse_copy(bytes.subspan(320, 200), out.begin()); });
        return std::array{std::move(forward), std::move(backward)};
    });
}

} // namespace

BOOST_FIXTURE_TEST_CASE(a_private_key_that_signed_lies_in_the_arena_alone, WithArena) {
    BOOST_REQUIRE(is_wiping);
    const auto pem = made_elsewhere(*arena);
    const auto exponents = exponents_of(pem, *arena);
    secret::wipe_traces(16 * 1024);
    const credlease::test::TraceWalk walk{*arena};
    const auto signed_text = text("header.claims");
    for (const auto& each : exponents) BOOST_TEST(walk.count(each) == 0u);
    BOOST_TEST(sign_rs256(pem, signed_text, *arena).has_value());
    for (const auto& each : exponents) BOOST_TEST(walk.count(each) == 0u);
}

#endif
