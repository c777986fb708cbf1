#define BOOST_TEST_MODULE vocabulary
#define BOOST_TEST_DYN_LINK
#include "vocabulary/ulid.hpp"

#include <boost/test/unit_test.hpp>

#include <set>
#include <unordered_set>

using namespace credlease::vocabulary;

namespace {

std::string text_of(const Ulid& ulid) {
    std::string text(Ulid::text_size, '\0');
    ulid.write_text(text.data());
    return text;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_ulid_reads_back_as_it_was_written) {
    UlidSource source;
    for (std::uint64_t now = 1; now < std::uint64_t{1} << 47; now *= 3) {
        const Ulid made = source.next(now);
        BOOST_TEST(made.milliseconds() == now);
        BOOST_TEST((Ulid::find(text_of(made)) == made));
    }
}

BOOST_AUTO_TEST_CASE(known_ulids_have_their_known_texts) {
    BOOST_TEST(text_of(Ulid{}) == "00000000000000000000000000");
    BOOST_TEST(text_of(Ulid{~std::uint64_t{0}, ~std::uint64_t{0}}) == "7zzzzzzzzzzzzzzzzzzzzzzzzz");
    // The example of the ULID specification.
    const auto example = Ulid::find("01ARZ3NDEKTSV4RRFFQ69G5FAV");
    BOOST_REQUIRE(example.has_value());
    BOOST_TEST(example->milliseconds() == 1469922850259u);
    BOOST_TEST(text_of(*example) == "01arz3ndektsv4rrffq69g5fav");
}

BOOST_AUTO_TEST_CASE(what_is_no_ulid_is_not_found) {
    BOOST_TEST(!Ulid::find("").has_value());
    BOOST_TEST(!Ulid::find("01arz3ndektsv4rrffq69g5fa").has_value());
    BOOST_TEST(!Ulid::find("01arz3ndektsv4rrffq69g5fav0").has_value());
    BOOST_TEST(!Ulid::find("81arz3ndektsv4rrffq69g5fav").has_value()); // 131 bits
    for (const char c : {'i', 'l', 'o', 'u', 'I', 'L', 'O', 'U', '-', ' ', '\0', '\xff'}) {
        std::string text = "01arz3ndektsv4rrffq69g5fav";
        text[7] = c;
        BOOST_TEST(!Ulid::find(text).has_value());
    }
}

BOOST_AUTO_TEST_CASE(ids_ascend_also_within_a_millisecond_and_when_the_clock_goes_back) {
    UlidSource source;
    Ulid last{};
    std::string last_text;
    for (int i = 0; i < 10'000; ++i) {
        const std::uint64_t now = i < 4'000 ? 1'800'000'000'000u : i < 8'000 ? 1'700'000'000'000u : 1'800'000'000'001u;
        const Ulid made = source.next(now);
        BOOST_REQUIRE((last < made));
        BOOST_REQUIRE(last_text < text_of(made));
        last = made;
        last_text = text_of(made);
    }
    BOOST_TEST(last.milliseconds() == 1'800'000'000'001u);
}

BOOST_AUTO_TEST_CASE(an_id_does_not_tell_its_neighbor) {
    UlidSource source;
    std::set<std::uint64_t> steps;
    Ulid last = source.next(1'800'000'000'000u);
    for (int i = 0; i < 100; ++i) {
        const Ulid made = source.next(1'800'000'000'000u);
        steps.insert(made.low - last.low);
        last = made;
    }
    BOOST_TEST(steps.size() > 90u);
}

BOOST_AUTO_TEST_CASE(two_sources_make_different_ids) {
    UlidSource one;
    UlidSource two;
    std::unordered_set<Ulid> seen;
    for (std::uint64_t now = 1; now <= 1000; ++now) {
        seen.insert(one.next(now));
        seen.insert(two.next(now));
    }
    BOOST_TEST(seen.size() == 2000u);
}

BOOST_AUTO_TEST_CASE(an_id_names_its_kind) {
    const CredentialId id(*Ulid::find("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
    BOOST_TEST(id.text() == "cred_01arz3ndektsv4rrffq69g5fav");
    BOOST_TEST((CredentialId::find(id.text()) == id));
    BOOST_TEST(!LeaseId::find(id.text()).has_value());
    BOOST_TEST(!CredentialId::find("01arz3ndektsv4rrffq69g5fav").has_value());
    BOOST_TEST(!CredentialId::find("CRED_01arz3ndektsv4rrffq69g5fav").has_value());
    BOOST_TEST(!CredentialId::find("cred_").has_value());
    BOOST_TEST(LeaseId{}.text() == "lease_00000000000000000000000000");
    BOOST_TEST(GrantId::text_size == GrantId{}.text().size());
    BOOST_TEST((std::unordered_set<RequestId>{RequestId{}, RequestId{}}.size() == 1u));
}
