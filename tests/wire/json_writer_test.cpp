#define BOOST_TEST_MODULE wire
#define BOOST_TEST_DYN_LINK
#include "wire/json_writer.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <limits>

namespace {

using credlease::vocabulary::Time;
using credlease::wire::JsonWriter;
using credlease::wire::SecretJsonWriter;

/// Every byte that JSON must escape, between ones that it must not.
std::string awkward() {
    std::string text = "plain \"quoted\" back\\slash / \x7f \xc3\xa9 ";
    for (char c = 1; c < 0x20; ++c) text.push_back(c);
    text.push_back('\0');
    return text;
}

BOOST_AUTO_TEST_SUITE(json_writer)

BOOST_AUTO_TEST_CASE(commas_stand_between_members_and_elements_only) {
    std::string text;
    JsonWriter writer(text);
    writer.object().key("a").array().value(1).value("two").object().close().close().member("b", true).key("c").null();
    writer.member_or_null("d", "").member_or_null("e", "x").key("f").raw("[1]").close();
    BOOST_TEST(text == R"({"a":[1,"two",{}],"b":true,"c":null,"d":null,"e":"x","f":[1]})");
}

BOOST_AUTO_TEST_CASE(numbers_are_written_to_their_last_digit) {
    std::string text;
    JsonWriter(text)
        .array()
        .value(std::numeric_limits<std::int64_t>::min())
        .value(std::numeric_limits<std::uint64_t>::max())
        .value(std::int32_t{-1})
        .value(std::uint32_t{4294967295U})
        .close();
    BOOST_TEST(text == "[-9223372036854775808,18446744073709551615,-1,4294967295]");
}

BOOST_AUTO_TEST_CASE(a_time_and_an_optional_are_written) {
    std::string text;
    JsonWriter(text)
        .object()
        .member("at", Time(std::chrono::milliseconds(1763769600123)))
        .member("none", std::optional<Time>())
        .member("some", std::optional<std::uint32_t>(7))
        .close();
    BOOST_TEST(text == R"({"at":"2025-11-22T00:00:00.123Z","none":null,"some":7})");
}

BOOST_AUTO_TEST_CASE(every_character_reads_back_as_it_was) {
    std::string text;
    JsonWriter(text).object().member(awkward(), awkward()).close();
    const auto read = boost::json::parse(text);
    BOOST_TEST((read.as_object().begin()->key() == awkward()));
    BOOST_TEST((read.as_object().begin()->value().as_string() == awkward()));
}

BOOST_AUTO_TEST_CASE(secrets_are_escaped_as_public_text_is) {
    std::array<char, 512> memory{};
    SecretJsonWriter writer(memory.data(), memory.size());
    writer.raw("[");
    writer.quoted(awkward());
    writer.raw(",");
    writer.number(-42);
    writer.raw(",");
    writer.time(Time(std::chrono::milliseconds(0)));
    writer.raw("]");
    BOOST_TEST(!writer.overflowed());
    const auto read = boost::json::parse(std::string_view(memory.data(), writer.size()));
    BOOST_TEST((read.at(0).as_string() == awkward()));
    BOOST_TEST(read.at(1).as_int64() == -42);
    BOOST_TEST((read.at(2).as_string() == "1970-01-01T00:00:00.000Z"));
}

BOOST_AUTO_TEST_CASE(a_special_character_is_found_at_every_place) {
    for (std::size_t size = 1; size < 70; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            std::string text(size, 'x');
            text[at] = '"';
            std::array<char, 80> memory{};
            SecretJsonWriter writer(memory.data(), memory.size());
            writer.escaped(text);
            BOOST_REQUIRE(writer.size() == size + 1);
            BOOST_REQUIRE(memory[at] == '\\');
        }
    }
}

BOOST_AUTO_TEST_CASE(nothing_is_written_past_the_end) {
    for (std::size_t room = 0; room < 60; ++room) {
        std::array<char, 64> memory{};
        memory.fill('~');
        SecretJsonWriter writer(memory.data(), room);
        writer.quoted("a\x01z");
        writer.time(Time());
        writer.number(12345);
        BOOST_TEST(writer.overflowed() == (room < 10 + 26 + 5));
        for (std::size_t i = room; i < memory.size(); ++i) BOOST_REQUIRE(memory[i] == '~');
    }
}

BOOST_AUTO_TEST_CASE(room_is_taken_only_where_there_is_some) {
    std::array<char, 8> memory{};
    SecretJsonWriter writer(memory.data(), memory.size());
    BOOST_TEST(writer.take(8) == memory.data());
    BOOST_TEST(writer.take(1) == nullptr);
    BOOST_TEST(writer.overflowed());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
