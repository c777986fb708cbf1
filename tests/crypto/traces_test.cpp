#define BOOST_TEST_DYN_LINK
#include "crypto/crypto.hpp"
#include "support/traces.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

// A sanitizer's shadow memory is too large to walk.
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

using namespace credlease::crypto;
namespace secret = credlease::secret;

namespace {

struct WithWalk {
    std::unique_ptr<secret::Arena> arena = std::move(*secret::Arena::make({.size = std::size_t{256} << 10}));
    credlease::test::TraceWalk walk{*arena};

    template <class Kind> secret::Secret<Kind> make() const { return std::move(*make_key<Kind>(*arena)); }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(the_walk_finds_a_planted_key, WithWalk) {
    const auto key = make<WorkspaceKeyKind>();
    BOOST_TEST(walk.count(key.buffer()) == 0u);
    std::string planted(20, 'x');
    key.expose([&](Bytes bytes) { std::memcpy(planted.data() + 3, bytes.data() + 5, 12); });
    asm volatile("" : : "r"(planted.data()) : "memory"); // else the optimizer sees that nobody reads it
    BOOST_TEST(walk.count(key.buffer()) >= 5u);          // 12 bytes hold 5 windows of 8
}

BOOST_FIXTURE_TEST_CASE(no_key_lies_outside_its_slot, WithWalk) {
    const auto root = make<RootKeyKind>();
    const auto key = make<WorkspaceKeyKind>();
    const auto record = make<RecordKeyKind>();
    const std::string text(300, 't');
    const auto sealed = seal(key, secret::as_bytes(text), {secret::as_bytes("bound")});
    BOOST_TEST(open(key, sealed, {secret::as_bytes("bound")}, *arena, secret::Share::leases).has_value());
    BOOST_TEST(walk.count(key.buffer()) == 0u);

    BOOST_TEST(unwrap<RecordKeyKind>(root, wrap(root, record, "records"), "records", *arena).has_value());
    BOOST_TEST(is_the_key_of(root, check_value(root)));
    BOOST_TEST(walk.count(root.buffer()) == 0u);
    BOOST_TEST(walk.count(record.buffer()) == 0u);
}

BOOST_FIXTURE_TEST_CASE(neither_a_passphrase_nor_its_key_lies_outside_the_arena, WithWalk) {
    auto phrase = secret::SecretBuffer::make(*arena, 40, secret::Share::work);
    phrase->expose_to_write([](std::span<std::byte> bytes) { random_bytes(bytes); });
    auto parameters = make_passphrase_parameters();
    parameters.memory_bytes = std::uint64_t{1} << 20;
    parameters.passes = 1;
    const auto root = derive_root_key(*phrase, parameters, *arena);
    BOOST_REQUIRE(root.has_value());
    BOOST_TEST(walk.count(*phrase) == 0u);
    BOOST_TEST(walk.count(root->buffer()) == 0u);
}

BOOST_FIXTURE_TEST_CASE(what_was_opened_lies_in_the_arena_alone, WithWalk) {
    auto secret = secret::SecretBuffer::make(*arena, 100, secret::Share::leases);
    secret->expose_to_write([](std::span<std::byte> bytes) { random_bytes(bytes); });
    const auto key = make<WorkspaceKeyKind>();
    const auto sealed = secret->expose([&](Bytes bytes) { return seal(key, bytes, {}); });
    BOOST_TEST(open(key, sealed, {}, *arena, secret::Share::leases).has_value());
    BOOST_TEST(walk.count(*secret) == 0u);

    const auto token = make_grant_token(*arena);
    BOOST_TEST(walk.count(*token) == 0u);
}

#endif
