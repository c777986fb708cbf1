#define BOOST_TEST_DYN_LINK
#include "wire/json_reader.hpp"
#include "wire/limits.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <cstring>
#include <memory>
#include <string>

namespace {

using credlease::result::ErrorCode;
using credlease::secret::Arena;
using credlease::secret::ArenaOptions;
using credlease::secret::ArenaResource;
using credlease::secret::Share;
using credlease::wire::read_json;

std::unique_ptr<Arena> make_arena() {
    auto arena = Arena::make(ArenaOptions{.choice = ArenaOptions::Choice::mlock, .size = std::size_t{1} << 20});
    BOOST_REQUIRE(arena.has_value());
    return std::move(*arena);
}

void refuses(std::string_view text, ErrorCode code = ErrorCode::invalid_request) {
    const auto value = read_json(text, {});
    BOOST_TEST_CONTEXT("text: " << text) {
        BOOST_REQUIRE(!value.has_value());
        BOOST_TEST((value.error().code == code));
        BOOST_TEST(!value.error().next_step.view().empty());
    }
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

BOOST_AUTO_TEST_SUITE(json_reader)

BOOST_AUTO_TEST_CASE(well_formed_text_is_read) {
    const std::string text =
        R"({"a":1,"b":-2,"c":18446744073709551615,"d":1.5E0,"e":[true,false,null,"x\u00e9\ud83d\ude00\n"],"f":{"a":1}})";
    const auto value = read_json(text, {});
    BOOST_REQUIRE(value.has_value());
    BOOST_TEST(boost::json::serialize(*value) ==
               "{\"a\":1,\"b\":-2,\"c\":18446744073709551615,\"d\":1.5E0,\"e\":[true,false,null,"
               "\"x\xc3\xa9\xf0\x9f\x98\x80\\n\"],\"f\":{\"a\":1}}");
}

BOOST_AUTO_TEST_CASE(what_is_not_one_json_text_is_refused) {
    for (const auto* text :
         {"",    " ",  "{",  "}",   "{}x", "{} {}",   "[1,]", "{\"a\":1,}", "{\"a\"}", "{a:1}",
          "'a'", "01", "+1", "nul", "NaN", "// c\n1", "\"a",  "\"\t\"",     "\"\\x\"", "\xef\xbb\xbf{}"}) {
        refuses(text);
    }
}

BOOST_AUTO_TEST_CASE(bad_unicode_is_refused) {
    for (const auto* text : {"\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\\ud800\"", "\"\\udc00\\ud800\"",
                             "{\"\xc3\":1}", "\"\\u12g4\""}) {
        refuses(text);
    }
}

BOOST_AUTO_TEST_CASE(nul_is_refused_wherever_it_stands) {
    refuses(R"("a\u0000b")");
    refuses(R"({"a\u0000":1})");
    refuses(R"({"a":"\u0000"})");
    refuses(std::string_view("\"a\0b\"", 5));
}

BOOST_AUTO_TEST_CASE(a_member_named_twice_is_refused) {
    refuses(R"({"a":1,"a":1})");
    refuses(R"({"a":{"b":1,"c":2,"b":3}})");
    refuses(R"([{"x":[{"y":1,"\u0079":2}]}])");
    BOOST_TEST(read_json(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]})", {}).has_value());
}

BOOST_AUTO_TEST_CASE(nesting_is_bounded) {
    BOOST_TEST(read_json(nested(credlease::wire::limits::json_depth), {}).has_value());
    refuses(nested(credlease::wire::limits::json_depth + 1));
    refuses(std::string(200000, '['));
}

BOOST_AUTO_TEST_CASE(values_lie_in_the_memory_given) {
    const auto arena = make_arena();
    ArenaResource memory(*arena, Share::work, std::size_t{1} << 16);
    {
        const auto value = read_json(R"({"secret":"a value that is longer than a short one"})", &memory);
        BOOST_REQUIRE(value.has_value());
        BOOST_TEST(arena->contains(value->at("secret").as_string().data()));
        BOOST_TEST(arena->contains(&value->at("secret")));
    }
    BOOST_TEST(memory.used() == 0U);
}

BOOST_AUTO_TEST_CASE(memory_that_gives_no_more_is_a_payload_too_large) {
    const auto arena = make_arena();
    ArenaResource memory(*arena, Share::work, 4096);
    const auto value = read_json("[\"" + std::string(8192, 'x') + "\"]", &memory);
    BOOST_REQUIRE(!value.has_value());
    BOOST_TEST((value.error().code == ErrorCode::payload_too_large));
    BOOST_TEST(memory.used() == 0U);
}

#if !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer)
/// What deeper frames left on the stack, as an attacker who reads the process's memory would see it.
[[gnu::noinline]] bool stack_holds(std::string_view wanted) {
    constexpr std::size_t size = 128 * 1024;
    std::array<char, size> frames; // not initialized: that is the point
    char* volatile begin = frames.data();
    const auto* found = static_cast<const char*>(memmem(begin, size, wanted.data(), wanted.size()));
    return found != nullptr;
}

[[gnu::noinline]] void plant() {
    std::array<char, 8192> text;
    char* volatile begin = text.data() + 2000; // not where the compiler probes the pages
    std::strcpy(begin, "planted on the stack");
}

BOOST_AUTO_TEST_CASE(a_text_with_escapes_leaves_nothing_on_the_stack) {
    const auto arena = make_arena();
    ArenaResource memory(*arena, Share::work, std::size_t{1} << 16);
    // put together by halves, so that the needles themselves do not lie in a frame
    const std::string text = std::string(R"({"fields":{"headers":{"k":"\n)") + "dozen-of-" + R"(secrets"}}})";
    const bool read = read_json(text, &memory).has_value();
    const bool left = stack_holds("dozen-of-secrets");
    plant();
    const bool planted = stack_holds("planted on the st");
    BOOST_TEST(read);
    BOOST_TEST(!left);
    BOOST_TEST(planted);
}
#endif

BOOST_AUTO_TEST_SUITE_END()

} // namespace
