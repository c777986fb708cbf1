#include "api/chunks.hpp"

#include <charconv>

namespace credlease::api {
namespace {

using result::Error;
using result::ErrorCode;
using result::refuse;

/// What may come beside the body: RFC 9112 §7.1.1 asks for a limit. A body of 256 KiB may have chunks of 24 bytes.
constexpr std::size_t framing_most = std::size_t{64} * 1024;

Error too_much_framing() {
    return {.code = ErrorCode::payload_too_large,
            .sentence = "The body's chunks have too much around them.",
            .next_step = "Send larger chunks, or a Content-Length."};
}

Error malformed() {
    return {.code = ErrorCode::invalid_request,
            .sentence = "The body is not well-formed chunks.",
            .next_step = "Send it as RFC 9112, section 7.1, says, or with a Content-Length."};
}

/// RFC 9110 §5.6.2
bool is_of_token(char c) {
    const bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    return is_letter || (c >= '0' && c <= '9') || std::string_view("!#$%&'*+-.^_`|~").contains(c);
}

bool is_space(char c) { return c == ' ' || c == '\t'; }

/// RFC 9110 §5.5: no control characters, so no bare CR or LF either.
bool is_of_value(char c) { return is_space(c) || (static_cast<unsigned char>(c) > 0x20 && c != 0x7f); }

} // namespace

Error body_too_large() {
    return {.code = ErrorCode::payload_too_large,
            .sentence = "The body is too large.",
            .next_step = "Send at most 16 KiB on lease.sock and 256 KiB on admin.sock."};
}

result::Result<ChunkReader::Piece> ChunkReader::read(std::string_view bytes) {
    std::size_t at = 0;
    while (at < bytes.size() && at_ != At::data && at_ != At::end) {
        if (++framing_ > framing_most) return refuse(too_much_framing());
        if (!take(bytes[at++])) return refuse(malformed());
        if (chunk_ > room_) return refuse(body_too_large());
    }
    if (at_ != At::data) return Piece{.taken = at};
    const std::string_view data = bytes.substr(at, chunk_);
    room_ -= data.size();
    chunk_ -= data.size();
    if (chunk_ == 0) at_ = At::data_cr;
    return Piece{.taken = at + data.size(), .data = data};
}

bool ChunkReader::take(char c) {
    switch (at_) {
    case At::size_begin:
    case At::size:
        return take_size(c);
    case At::before_extension:
        return is_space(c) || go(At::extension, c == ';');
    case At::extension:
        return c == '\r' ? go(At::size_lf, true) : is_of_value(c);
    case At::size_lf:
        return go(chunk_ > 0 ? At::data : At::trailer, c == '\n');
    case At::data_cr:
        return go(At::data_lf, c == '\r');
    case At::data_lf:
        return go(At::size_begin, c == '\n');
    case At::trailer:
    case At::trailer_name:
    case At::trailer_value:
    case At::trailer_lf:
    case At::last_lf:
        return take_trailer(c);
    case At::data:
    case At::end:
        return false;
    }
    return false;
}

/// `read` stops before the number could grow out of its type.
bool ChunkReader::take_size(char c) {
    unsigned digit = 0;
    if (std::from_chars(&c, &c + 1, digit, 16).ec == std::errc{}) {
        chunk_ = chunk_ * 16 + digit;
        return go(At::size, true);
    }
    if (at_ == At::size_begin) return false;
    if (c == '\r') return go(At::size_lf, true);
    return c == ';' ? go(At::extension, true) : go(At::before_extension, is_space(c));
}

bool ChunkReader::take_trailer(char c) {
    switch (at_) {
    case At::trailer:
        return c == '\r' ? go(At::last_lf, true) : go(At::trailer_name, is_of_token(c));
    case At::trailer_name:
        return c == ':' ? go(At::trailer_value, true) : is_of_token(c);
    case At::trailer_value:
        return c == '\r' ? go(At::trailer_lf, true) : is_of_value(c);
    case At::trailer_lf:
        return go(At::trailer, c == '\n');
    default: // last_lf
        return go(At::end, c == '\n');
    }
}

} // namespace credlease::api
