#define BOOST_TEST_DYN_LINK
#include "api/chunks.hpp"
#include "support/allocations.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using namespace credlease;
using api::ChunkReader;
using result::ErrorCode;

constexpr std::size_t most = 1000;

/// What a reader makes of `text` when it comes in pieces of `step` bytes.
struct Read {
    std::string body{};
    std::size_t taken = 0;
    bool is_done = false;
    std::string_view code{}; ///< why it was refused
};
Read read(std::string_view text, std::size_t step = std::string_view::npos) {
    ChunkReader chunks(most);
    Read read;
    while (read.taken < text.size() && !chunks.is_done()) {
        const auto piece = chunks.read(text.substr(read.taken, step));
        if (!piece) {
            read.code = name_of(piece.error().code);
            return read;
        }
        read.body += piece->data;
        read.taken += piece->taken;
    }
    read.is_done = chunks.is_done();
    return read;
}

void refuses(const std::string& text, ErrorCode code = ErrorCode::invalid_request) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::string::npos}) {
        const auto result = read(text, step);
        BOOST_TEST(result.code == name_of(code), text.substr(0, 60) << " by " << step << ": '" << result.code << "'");
    }
}

BOOST_AUTO_TEST_SUITE(chunks)

BOOST_AUTO_TEST_CASE(a_body_is_what_its_chunks_hold_however_it_comes) {
    const std::string text =
        "5\r\nhello\r\n1;a=b\r\n \r\n0005 ; x=\"y z\"\r\nworld\r\n0\r\nExpires: never\r\nX:\r\n\r\n";
    const std::string next = "GET / HTTP/1.1\r\n";
    for (std::size_t step = 1; step <= text.size() + next.size(); ++step) {
        const auto result = read(text + next, step);
        BOOST_TEST(result.body == "hello world");
        BOOST_TEST(result.is_done);
        BOOST_TEST(result.taken == text.size());
    }
}

BOOST_AUTO_TEST_CASE(sizes_are_hexadecimal_in_either_case) {
    BOOST_TEST(read("1a\r\n" + std::string(26, 'x') + "\r\n1A\r\n" + std::string(26, 'y') + "\r\n000\r\n\r\n").body ==
               std::string(26, 'x') + std::string(26, 'y'));
    BOOST_TEST(read("0\r\n\r\n").is_done);
}

BOOST_AUTO_TEST_CASE(it_is_done_with_its_last_byte_and_not_before) {
    const std::string text = "2\r\n{}\r\n0\r\nA: b\r\n\r\n";
    for (std::size_t size = 0; size < text.size(); ++size) BOOST_TEST(!read(text.substr(0, size)).is_done);
    BOOST_TEST(read(text).is_done);
}

BOOST_AUTO_TEST_CASE(what_the_grammar_does_not_allow_is_refused) {
    for (const auto* text : {"\r\n",
                             "x\r\n",
                             "-1\r\n",
                             "+1\r\n",
                             "0x1\r\n",
                             " 1\r\n",
                             ";a\r\n",
                             "1 \r\n",
                             "1 2\r\n",
                             "1\n",
                             "1\rx",
                             "1;a\nb\r\n",
                             "1;a\r\r\n",
                             "1;a\x01\r\n",
                             "1;\x7f\r\n",
                             "2\r\n{}0\r\n\r\n",
                             "2\r\n{}\n0\r\n\r\n",
                             "2\r\n{}\r0\r\n\r\n",
                             "1\r\n{}\r\n0\r\n\r\n",
                             "0\r\n\n",
                             "0\r\nGET / HTTP/1.1\r\n",
                             "0\r\n: x\r\n",
                             "0\r\nA : x\r\n",
                             "0\r\nA: x\n",
                             "0\r\nA: x\rB",
                             "0\r\nA: b\r\n folded\r\n",
                             "0\r\nA\r\n",
                             "0\r\n\r\r"}) {
        refuses(text);
    }
    refuses(std::string("1;a\0\r\n", 6));
}

BOOST_AUTO_TEST_CASE(a_chunk_that_has_no_room_is_refused_before_it_comes) {
    const std::string full = "3e8\r\n" + std::string(most, 'x') + "\r\n";
    BOOST_TEST(read(full + "0\r\n\r\n").is_done);
    refuses(full + "1", ErrorCode::payload_too_large);
    refuses("3e9", ErrorCode::payload_too_large);
    refuses("ffffffffffffffff", ErrorCode::payload_too_large);
    refuses("10000000000000001", ErrorCode::payload_too_large);
    BOOST_TEST(read(full.substr(0, 500)).body == std::string(495, 'x')); // what comes is there at once
}

BOOST_AUTO_TEST_CASE(what_lies_around_the_chunks_is_bounded) {
    constexpr std::size_t much = 64 * 1024;
    refuses(std::string(much + 1, '0'), ErrorCode::payload_too_large);
    refuses("1;" + std::string(much, 'x'), ErrorCode::payload_too_large);
    refuses("0\r\nA:" + std::string(much, ' '), ErrorCode::payload_too_large);
    std::string trailers = "0\r\n";
    while (trailers.size() <= much) trailers += "A: b\r\n";
    refuses(trailers, ErrorCode::payload_too_large);
    std::string extensions;
    for (int i = 0; i < 100; ++i) extensions += "1;" + std::string(1000, 'x') + "\r\nx\r\n";
    refuses(extensions, ErrorCode::payload_too_large);
}

BOOST_AUTO_TEST_CASE(nothing_is_allocated) {
    const std::string text = "5;a=b\r\nhello\r\n0\r\nA: b\r\n\r\n";
    ChunkReader chunks(most);
    const auto before = test::allocations();
    for (std::string_view rest = text; !chunks.is_done();) {
        const auto piece = chunks.read(rest);
        if (!piece) break;
        rest.remove_prefix(piece->taken);
    }
    BOOST_TEST(test::allocations() == before);
    BOOST_TEST(chunks.is_done());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
