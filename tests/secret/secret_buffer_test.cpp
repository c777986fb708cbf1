#define BOOST_TEST_DYN_LINK
#include "secret/arena_resource.hpp"
#include "secret/secret.hpp"

#include <boost/json/parser.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <new>
#include <string>

using namespace credlease::secret;

namespace {

struct WithArena {
    std::unique_ptr<Arena> arena =
        std::move(*Arena::make({.choice = ArenaOptions::Choice::mlock, .size = std::size_t{256} << 10}));

    bool is_all_zero() const {
        return std::ranges::all_of(arena->all_for_test(), [](std::byte each) { return each == std::byte{0}; });
    }
    bool holds(std::string_view text) const { return as_text(arena->all_for_test()).contains(text); }
    SecretBuffer copy(std::string_view text) { return std::move(*SecretBuffer::copy(*arena, text, Share::leases)); }
};

std::string shown(const SecretBuffer& buffer) {
    return buffer.expose([](std::span<const std::byte> bytes) { return std::string(as_text(bytes)); });
}

} // namespace

BOOST_FIXTURE_TEST_CASE(a_secret_lies_in_the_arena_and_is_wiped_when_it_dies, WithArena) {
    {
        const SecretBuffer secret = copy("xoxb-planted-token");
        BOOST_TEST(shown(secret) == "xoxb-planted-token");
        BOOST_TEST(secret.size() == 18u);
        BOOST_TEST(holds("xoxb-planted"));
        secret.expose([&](std::span<const std::byte> bytes) { BOOST_TEST(arena->contains(bytes.data())); });
    }
    BOOST_TEST(is_all_zero());
    BOOST_TEST(arena->used(Share::leases) == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_moved_secret_has_one_owner, WithArena) {
    SecretBuffer first = copy("the first secret");
    SecretBuffer second = copy("the second secret");
    second = std::move(first);
    BOOST_TEST(shown(second) == "the first secret");
    BOOST_TEST(!holds("the second secret"));
    SecretBuffer third(std::move(second));
    BOOST_TEST(second.empty()); // NOLINT(bugprone-use-after-move): what is left of it is the point
    BOOST_TEST(shown(third) == "the first secret");
    auto& same = third;
    third = std::move(same);
    BOOST_TEST(shown(third) == "the first secret");
    third.reset();
    BOOST_TEST(third.empty());
    BOOST_TEST(is_all_zero());
}

BOOST_FIXTURE_TEST_CASE(a_shrunk_secret_forgets_its_tail, WithArena) {
    SecretBuffer secret = copy("keep:forget these");
    secret.shrink(4);
    BOOST_TEST(shown(secret) == "keep");
    BOOST_TEST(!holds("forget"));
    secret.shrink(100);
    BOOST_TEST(secret.size() == 4u);
}

BOOST_FIXTURE_TEST_CASE(a_new_buffer_is_zero_and_can_be_written, WithArena) {
    auto made = SecretBuffer::make(*arena, 100, Share::tokens);
    BOOST_REQUIRE(made.has_value());
    BOOST_TEST(shown(*made) == std::string(100, '\0'));
    made->expose_to_write([](std::span<std::byte> bytes) { bytes[99] = std::byte{'x'}; });
    BOOST_TEST(shown(*made).back() == 'x');
}

BOOST_FIXTURE_TEST_CASE(an_empty_secret_takes_no_slot, WithArena) {
    const SecretBuffer empty = copy("");
    BOOST_TEST(empty.empty());
    BOOST_TEST(shown(empty) == "");
    BOOST_TEST(arena->used(Share::leases) == 0u);
    BOOST_TEST(shown(SecretBuffer{}) == "");
}

BOOST_FIXTURE_TEST_CASE(a_full_share_says_overloaded, WithArena) {
    const auto whole = SecretBuffer::make(*arena, arena->share_size(Share::tokens), Share::tokens);
    BOOST_REQUIRE(whole.has_value());
    const auto refused = SecretBuffer::make(*arena, 1, Share::tokens);
    BOOST_REQUIRE(!refused.has_value());
    BOOST_CHECK(refused.error().code == credlease::result::ErrorCode::overloaded);
    BOOST_TEST(refused.error().retry_after_seconds.has_value());
}

BOOST_FIXTURE_TEST_CASE(a_secret_of_a_kind_shows_what_its_buffer_holds, WithArena) {
    struct TokenKind {};
    const Secret<TokenKind> token(copy("a token"));
    BOOST_TEST(!token.empty());
    BOOST_TEST(shown(token.buffer()) == "a token");
    BOOST_TEST(token.expose([](auto bytes) { return bytes.size(); }) == 7u);
    BOOST_TEST(Secret<TokenKind>{}.empty());
}

BOOST_FIXTURE_TEST_CASE(json_made_with_the_arena_lies_in_it_and_is_wiped, WithArena) {
    const std::string token(200, 't');
    ArenaResource resource(*arena, Share::work, std::size_t{32} << 10);
    {
        boost::json::parser parser(&resource);
        parser.reset(&resource);
        parser.write("{\"token\": [\"" + token + "\", 1, {\"deep\": null}]}");
        const boost::json::value read = parser.release();
        BOOST_TEST(read.at("token").at(0).as_string() == token);
        BOOST_TEST(arena->contains(read.at("token").at(0).as_string().data()));
        BOOST_TEST(holds(token));
        BOOST_TEST(resource.used() > token.size());
        BOOST_TEST(resource.used() == arena->used(Share::work));
    }
    BOOST_TEST(resource.used() == 0u);
    BOOST_TEST(is_all_zero());
}

BOOST_FIXTURE_TEST_CASE(json_stops_at_its_limit_and_at_the_share, WithArena) {
    ArenaResource small(*arena, Share::work, 1024);
    BOOST_CHECK_THROW((boost::json::string(2000, 'x', &small)), std::bad_alloc);
    BOOST_TEST(small.used() == 0u);
    ArenaResource large(*arena, Share::work, std::size_t{1} << 30);
    BOOST_CHECK_THROW((boost::json::string(arena->share_size(Share::work), 'x', &large)), std::bad_alloc);
    BOOST_CHECK_THROW(static_cast<void>(large.allocate(std::size_t{1} << 62)), std::bad_alloc);
    BOOST_TEST(large.used() == 0u);
    BOOST_TEST(arena->used(Share::work) == 0u);
}
