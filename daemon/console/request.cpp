#include "console/request.hpp"

namespace credlease::console {
namespace {

using result::refuse;
using result::Result;
using secret::SecretBuffer;
using secret::Share;

constexpr std::string_view our_names = "auth_"; ///< an authorization's id
constexpr std::size_t cookies_most = 16;

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

/// A query with the '?' that it follows in the request.
std::string_view with_mark(std::string_view query) {
    return query.empty() ? query : std::string_view(query.data() - 1, query.size() + 1);
}

/// "a=1; b=2" (RFC 6265 §4.2.1)
Result<std::vector<Cookie>> read_cookies(std::string_view header, secret::Arena& arena) {
    std::vector<Cookie> found;
    while (!header.empty() && found.size() < cookies_most) {
        const std::size_t end = std::min(header.find(';'), header.size());
        const std::string_view pair = trimmed(header.substr(0, end));
        header.remove_prefix(std::min(end + 1, header.size()));
        const std::size_t sign = pair.find('=');
        if (sign == std::string_view::npos || !pair.starts_with(our_names)) continue;
        auto value = SecretBuffer::copy(arena, pair.substr(sign + 1), Share::bodies);
        if (!value) return refuse(std::move(value.error()));
        found.push_back({.name = std::string(pair.substr(0, sign)), .value = std::move(*value)});
    }
    return found;
}

} // namespace

Result<std::optional<Request>> read_request(std::string_view bytes, secret::Arena& arena) {
    const auto size = http::find_head(bytes);
    if (!size) return refuse(size.error());
    if (!*size) return std::nullopt;
    const auto head = http::read_head(bytes.substr(0, **size), http::Sender::browser);
    if (!head) return refuse(head.error());
    auto query = SecretBuffer::copy(arena, with_mark(head->query), Share::bodies);
    if (!query) return refuse(std::move(query.error()));
    auto cookies = read_cookies(head->cookie, arena);
    if (!cookies) return refuse(std::move(cookies.error()));
    Request request;
    request.method = head->method;
    request.without_body = head->without_body;
    request.has_body = head->content_length > 0 || head->chunked;
    request.path = head->path;
    request.host = head->host;
    request.query = std::move(*query);
    request.cookies = std::move(*cookies);
    return std::optional(std::move(request));
}

} // namespace credlease::console
