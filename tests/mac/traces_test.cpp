#define BOOST_TEST_DYN_LINK
#include "mac/mac.hpp"
#include "support/allocations.hpp"
#include "support/traces.hpp"

#include <boost/test/unit_test.hpp>
#include <sodium.h>

#include <string>

using namespace credlease::mac;
namespace secret = credlease::secret;

namespace {

struct WithWalk {
    std::unique_ptr<secret::Arena> arena = std::move(*secret::Arena::make({.size = std::size_t{256} << 10}));
    credlease::test::TraceWalk walk{*arena};
    secret::SecretBuffer parent = random(32);

    secret::SecretBuffer random(std::size_t size) const {
        auto made = std::move(*secret::SecretBuffer::make(*arena, size, secret::Share::keys));
        made.expose_to_write([](std::span<std::byte> bytes) { randombytes_buf(bytes.data(), bytes.size()); });
        return made;
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(hashing_allocates_nothing, WithWalk) {
    const auto mac = std::move(*make_mac<ChainPurpose>(*arena, parent));
    const std::string record(300, 'r');
    const auto before = credlease::test::allocations();
    Digest digest{};
    for (int i = 0; i < 10; ++i) digest = mac.of({bytes_of(digest), bytes_of(record)});
    BOOST_TEST(credlease::test::allocations() == before);
}

// A sanitizer's shadow memory is too large to walk.
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

BOOST_FIXTURE_TEST_CASE(neither_a_parent_key_nor_a_macs_own_lies_outside_its_slot, WithWalk) {
    const auto chain = make_mac<ChainPurpose>(*arena, parent);
    BOOST_REQUIRE(chain.has_value());
    BOOST_TEST(walk.count(parent) == 0u);

    const auto key = random(32);
    auto copied =
        key.expose([&](Bytes bytes) { return secret::SecretBuffer::copy(*arena, bytes, secret::Share::keys); });
    const RecordMac mac(std::move(*copied));
    const std::string text(300, 't');
    BOOST_TEST(mac.agrees(mac.of({bytes_of(text)}), {bytes_of(text)}));
    BOOST_TEST(walk.count(key) == 0u);
}

BOOST_FIXTURE_TEST_CASE(what_was_hashed_lies_in_the_arena_alone, WithWalk) {
    const auto secret = random(100);
    const auto fingerprint = make_mac<FingerprintPurpose>(*arena, parent);
    secret.expose([&](Bytes bytes) { BOOST_TEST((fingerprint->of({bytes}) != Digest{})); });
    BOOST_TEST(walk.count(secret) == 0u);
}

#endif
