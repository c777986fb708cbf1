#include "http/target.hpp"

#include "vocabulary/names.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <array>
#include <cstdint>

namespace credlease::http {
namespace {

using result::ErrorCode;
using result::refuse;

enum Kind : std::uint8_t { unreserved = 1, in_path = 2, in_query = 4, in_authority = 8 };

/// RFC 3986, appendix A.
constexpr std::array<std::uint8_t, 256> kinds = [] {
    std::array<std::uint8_t, 256> table{};
    const auto mark = [&table](std::string_view characters, unsigned kind) {
        for (const char c : characters) table[static_cast<unsigned char>(c)] = static_cast<std::uint8_t>(kind);
    };
    mark("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~",
         unreserved | in_path | in_query | in_authority);
    mark("!$&'()*+,;=:", in_path | in_query | in_authority);
    mark("@/", in_path | in_query);
    mark("?", in_query);
    mark("%[]", in_authority); // a '@' would be of user information, which RFC 9110 §4.2.4 forbids
    return table;
}();

bool is(char c, Kind kind) { return (kinds[static_cast<unsigned char>(c)] & kind) != 0; }

/// The value of a hexadecimal digit; -1 for anything else.
int hex(char c, bool lower_too) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (lower_too && c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

/// The byte that "%XX" at the start of `text` stands for; -1 when it is none.
int encoded_byte(std::string_view text, bool lower_too) {
    if (text.size() < 3) return -1;
    const int high = hex(text[1], lower_too);
    const int low = hex(text[2], lower_too);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool is_canonical_path(std::string_view path) {
    for (std::size_t at = 0; at < path.size(); ++at) {
        if (path[at] != '%') {
            if (!is(path[at], in_path)) return false;
            continue;
        }
        const int byte = encoded_byte(path.substr(at), false);
        if (byte < 0x20 || byte == 0x7f || is(static_cast<char>(byte), unreserved)) return false;
        at += 2;
    }
    return true;
}

bool is_query(std::string_view query, Queries queries) {
    for (const char c : query) {
        if (queries == Queries::visible ? c <= ' ' || c >= 0x7f : c != '%' && !is(c, in_query))
            return false; // what a '%' stands for is looked at where it is decoded
    }
    return true;
}

bool has_dot_segment(std::string_view path) {
    while (!path.empty()) {
        path.remove_prefix(1); // the '/'
        const std::string_view segment = path.substr(0, path.find('/'));
        if (segment == "." || segment == "..") return true;
        path.remove_prefix(segment.size());
    }
    return false;
}

result::Failure bad_target(result::StaticText sentence) {
    return refuse(
        {.code = ErrorCode::invalid_request, .sentence = sentence, .next_step = "Send a path such as /v1/status."});
}

/// The path and what follows it; the target itself where it is not in absolute form.
std::string_view without_authority(std::string_view target) {
    constexpr std::string_view scheme = "http://";
    if (!boost::beast::iequals(target.substr(0, scheme.size()), scheme)) return target;
    const std::string_view rest = target.substr(scheme.size());
    const std::string_view authority = rest.substr(0, rest.find('/'));
    // RFC 9110 §4.2.1: without a host it is invalid.
    const bool is_good = !authority.empty() && !authority.starts_with(':') &&
                         std::ranges::all_of(authority, [](char c) { return is(c, in_authority); });
    return is_good ? rest.substr(authority.size()) : target;
}

} // namespace

result::Result<Target> read_target(std::string_view target, Queries queries) {
    target = without_authority(target);
    if (!target.starts_with('/'))
        return bad_target("The request target must be a path that begins with '/', or that behind http:// and a host.");
    const std::size_t mark = target.find('?');
    Target split{.path = target.substr(0, mark)};
    if (mark != std::string_view::npos) split.query = target.substr(mark + 1);
    if (!is_canonical_path(split.path)) return bad_target("The request's path is not percent-encoded as it must be.");
    if (has_dot_segment(split.path)) return bad_target("The request's path has a dot segment.");
    if (!is_query(split.query, queries))
        return bad_target("The request's query has a character that must be percent-encoded.");
    return split;
}

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '%') {
            decoded.push_back(text[at]);
            continue;
        }
        const int byte = encoded_byte(text.substr(at), true);
        if (byte < 0) return std::nullopt;
        decoded.push_back(static_cast<char>(byte));
        at += 2;
    }
    if (!vocabulary::is_clean_utf8(decoded)) return std::nullopt;
    return decoded;
}

} // namespace credlease::http
