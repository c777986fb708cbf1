#define BOOST_TEST_MODULE mac
#define BOOST_TEST_DYN_LINK
#include "mac/mac.hpp"

#include <boost/test/unit_test.hpp>
#include <sodium.h>

#include <set>
#include <string>
#include <vector>

using namespace credlease::mac;
namespace secret = credlease::secret;

namespace {

struct WithParent {
    std::unique_ptr<secret::Arena> arena = std::move(*secret::Arena::make({.size = std::size_t{256} << 10}));
    secret::SecretBuffer parent = key_of('k');

    secret::SecretBuffer key_of(char c) const {
        return std::move(*secret::SecretBuffer::copy(*arena, std::string(32, c), secret::Share::keys));
    }
    template <class Purpose> Mac<Purpose> mac() const { return std::move(*make_mac<Purpose>(*arena, parent)); }
};

std::string hex(const Digest& digest) {
    std::string text(digest.size() * 2 + 1, '\0');
    sodium_bin2hex(text.data(), text.size(), digest.data(), digest.size());
    text.pop_back();
    return text;
}

} // namespace

BOOST_FIXTURE_TEST_CASE(a_mac_is_keyed_blake2b_over_length_prefixed_parts, WithParent) {
    const ChainMac mac(key_of('x'));
    const std::string joined("\x03\0\0\0\0\0\0\0abc\0\0\0\0\0\0\0\0", 19);
    Digest expected{};
    const std::string key(32, 'x');
    crypto_generichash(expected.data(), expected.size(), reinterpret_cast<const unsigned char*>(joined.data()),
                       joined.size(), reinterpret_cast<const unsigned char*>(key.data()), key.size());
    BOOST_TEST(hex(mac.of({bytes_of("abc"), bytes_of("")})) == hex(expected));
}

BOOST_FIXTURE_TEST_CASE(the_stored_format_stays_what_it_is, WithParent) {
    // Macs of stores that exist: a change here makes them unreadable.
    BOOST_TEST(hex(mac<RecordPurpose>().of({bytes_of("abc")})) ==
               "abca1b57f0d1da01da93b95797e5d10cc4da2182a76c93425e5ce344f4686a56");
    BOOST_TEST(hex(mac<SetPurpose>().of({bytes_of("abc")})) ==
               "dff7c978210660983bc8a3752ff2bd62af281ea23edb865e667ac81ef8f0b4d5");
    BOOST_TEST(hex(mac<HeadPurpose>().of({bytes_of("abc")})) ==
               "b48e585237bea439addf6cecf86b25967c6f17badf10d733cb1879f584b0c397");
    BOOST_TEST(hex(mac<ChainPurpose>().of({bytes_of("abc")})) ==
               "3b224d5fcd60ec851046f0b9882062d6842e67c052825cdf6021a4594b2b7bd6");
    BOOST_TEST(hex(mac<CursorPurpose>().of({bytes_of("abc")})) ==
               "da72cec5092597617e22de5d126f948c5da76de4505785e522e3e1a82206df10");
    BOOST_TEST(hex(mac<GrantPurpose>().of({bytes_of("abc")})) ==
               "8907aa714527813f2e17abdf0a4f70a6bd1063b550eefed8778f2e9f013a3b38");
    BOOST_TEST(hex(mac<FingerprintPurpose>().of({bytes_of("abc")})) ==
               "b769277ad68d2c544a5aab7957f79381e8f9f05749374e2c007c3b0672000a8c");
    BOOST_TEST(hex(mac<DigestPurpose>().of({bytes_of("abc")})) ==
               "81c930b84477d823740c1e7935f89016e63d14b4cb68e732425b97ac5f51abb1");
    BOOST_TEST(hex(mac<CheckPurpose>().of({bytes_of("abc")})) ==
               "4c817652261eb1fddf96ec9b7728ec079a341e067825bf82f348e1d45f5c44d0");
}

BOOST_FIXTURE_TEST_CASE(each_purpose_has_a_key_of_its_own, WithParent) {
    const auto one = [&]<class... Purposes>() {
        return std::set<std::string>{hex(mac<Purposes>().of({bytes_of("same")}))...};
    };
    const auto made = one.operator()<RecordPurpose, SetPurpose, HeadPurpose, ChainPurpose, CursorPurpose, GrantPurpose,
                                     FingerprintPurpose, DigestPurpose, CheckPurpose>();
    BOOST_TEST(made.size() == 9u);
}

BOOST_FIXTURE_TEST_CASE(another_parent_makes_another_mac, WithParent) {
    const auto other_parent = key_of('o');
    const auto other = make_mac<RecordPurpose>(*arena, other_parent);
    BOOST_TEST(hex(other->of({bytes_of("same")})) != hex(mac<RecordPurpose>().of({bytes_of("same")})));
}

BOOST_FIXTURE_TEST_CASE(parts_cannot_be_shifted_into_each_other, WithParent) {
    const auto mac = this->mac<RecordPurpose>();
    const std::set<std::string> made = {hex(mac.of({bytes_of("ab"), bytes_of("c")})),
                                        hex(mac.of({bytes_of("a"), bytes_of("bc")})),
                                        hex(mac.of({bytes_of("abc")})),
                                        hex(mac.of({bytes_of("abc"), bytes_of("")})),
                                        hex(mac.of({bytes_of(""), bytes_of("abc")})),
                                        hex(mac.of({}))};
    BOOST_TEST(made.size() == 6u);
}

BOOST_FIXTURE_TEST_CASE(a_mac_agrees_with_its_own_digest_alone, WithParent) {
    const auto mac = this->mac<ChainPurpose>();
    const Digest digest = mac.of({bytes_of("record")});
    BOOST_TEST(mac.agrees(digest, {bytes_of("record")}));
    BOOST_TEST(!mac.agrees(digest, {bytes_of("recorD")}));
    for (std::size_t at = 0; at < digest.size(); ++at) {
        Digest flipped = digest;
        flipped[at] ^= 1;
        BOOST_TEST(!mac.agrees(flipped, {bytes_of("record")}));
    }
}

BOOST_FIXTURE_TEST_CASE(a_macs_key_lies_in_the_keys_share_and_is_given_back, WithParent) {
    const std::size_t before = arena->used(secret::Share::keys);
    {
        const auto mac = this->mac<GrantPurpose>();
        BOOST_TEST(mac.ready());
        BOOST_TEST(arena->used(secret::Share::keys) == before + secret::Arena::slot_size(32));
    }
    BOOST_TEST(arena->used(secret::Share::keys) == before);
    BOOST_TEST(!GrantMac{}.ready());
}

BOOST_FIXTURE_TEST_CASE(a_full_arena_makes_no_mac, WithParent) {
    while (!arena->allocate(32, secret::Share::keys).empty()) {
    }
    const auto made = make_mac<SetPurpose>(*arena, parent);
    BOOST_REQUIRE(!made.has_value());
    BOOST_CHECK(made.error().code == credlease::result::ErrorCode::overloaded);
}

BOOST_AUTO_TEST_CASE(a_set_hash_forgets_what_is_put_in_twice_and_knows_no_order) {
    Digest one{};
    Digest two{};
    one.fill(0x11);
    two.fill(0x2f);
    SetHash first;
    first.toggle(one);
    first.toggle(two);
    SetHash second;
    second.toggle(two);
    second.toggle(one);
    BOOST_TEST((first == second));
    second.toggle(two);
    BOOST_TEST((second.value() == one));
    second.toggle(one);
    BOOST_TEST((second == SetHash{}));
}

BOOST_AUTO_TEST_CASE(equality_needs_the_same_length) {
    BOOST_TEST(equal_in_constant_time(bytes_of("abc"), bytes_of("abc")));
    BOOST_TEST(!equal_in_constant_time(bytes_of("abc"), bytes_of("abd")));
    BOOST_TEST(!equal_in_constant_time(bytes_of("abc"), bytes_of("ab")));
    BOOST_TEST(!equal_in_constant_time(bytes_of("ab"), bytes_of("abc")));
    BOOST_TEST(equal_in_constant_time({}, {}));
}

BOOST_AUTO_TEST_CASE(numbers_are_written_little_end_first) {
    const auto bytes = little_endian(0x0102030405060708u);
    for (std::size_t i = 0; i < 8; ++i) BOOST_TEST(std::to_integer<std::size_t>(bytes[i]) == 8 - i);
}
