#define BOOST_TEST_DYN_LINK
#include "crypto/one_time.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>

using namespace credlease::crypto;
namespace secret = credlease::secret;

namespace {

struct WithArena {
    std::unique_ptr<secret::Arena> arena = std::move(*secret::Arena::make({.size = std::size_t{256} << 10}));

    secret::SecretBuffer text(std::string_view shown) const {
        return std::move(*secret::SecretBuffer::copy(*arena, shown, secret::Share::work));
    }
};

std::string shown(const secret::SecretBuffer& buffer) {
    return buffer.expose([](std::span<const std::byte> bytes) { return std::string(secret::as_text(bytes)); });
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(one_time, WithArena)

BOOST_AUTO_TEST_CASE(a_random_text_is_43_base64url_characters_and_never_the_same) {
    const std::string first = shown(*make_random_text(*arena));
    BOOST_TEST(first.size() == 43u);
    BOOST_TEST(std::ranges::all_of(first, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    }));
    BOOST_TEST(first != shown(*make_random_text(*arena)));
    BOOST_TEST(shown(*make_random_text(*arena, "x_")).substr(0, 2) == "x_");
}

BOOST_AUTO_TEST_CASE(the_challenge_is_the_one_of_rfc_7636_appendix_b) {
    BOOST_TEST(challenge_of(text("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")) ==
               "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

BOOST_AUTO_TEST_CASE(only_equal_texts_agree_and_nothing_agrees_with_nothing) {
    BOOST_TEST(agree(text("state-1"), text("state-1")));
    BOOST_TEST(!agree(text("state-1"), text("state-2")));
    BOOST_TEST(!agree(text("state-1"), text("state-1 ")));
    BOOST_TEST(!agree({}, {}));
}

BOOST_AUTO_TEST_SUITE_END()
