#include "outbound/url.hpp"

#include <algorithm>
#include <charconv>

namespace credlease::outbound {
namespace {

constexpr std::string_view name_characters = "abcdefghijklmnopqrstuvwxyz0123456789.-_";
constexpr std::string_view address_characters = "abcdef0123456789:.";
constexpr std::size_t longest_name = 253;

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
    std::string made(text);
    std::ranges::transform(made, made.begin(), to_lower);
    return made;
}

bool is_plain(std::string_view text) {
    return std::ranges::all_of(
        text, [](char c) { return c > ' ' && c < 0x7f && !std::string_view("\"<>\\^`{|}#").contains(c); });
}

/// What is wrong is not shown: it may be a password.
result::Failure refuse_url() {
    return result::refuse({.code = result::ErrorCode::invalid_request,
                           .sentence = "The provider's address is not a URL that a request can go to.",
                           .next_step = "Write it like https://provider.example/oauth/token."});
}

/// True unless `text` (empty, or ":443") is not a port.
bool read_port(std::string_view text, std::uint16_t& port) {
    if (text.empty()) return true;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + 1, end, port);
    return text.front() == ':' && read.ec == std::errc{} && read.ptr == end && port != 0;
}

/// Splits "host:port" and checks both.
bool read_authority(std::string_view text, Url& url) {
    const bool is_bracketed = text.starts_with('[');
    const auto end = is_bracketed ? text.find(']') : std::min(text.find(':'), text.size());
    if (end == std::string_view::npos) return false;
    url.host = lower(is_bracketed ? text.substr(1, end - 1) : text.substr(0, end));
    const auto allowed = is_bracketed ? address_characters : name_characters;
    if (url.host.empty() || url.host.size() > longest_name ||
        url.host.find_first_not_of(allowed) != std::string::npos || url.host.starts_with('.') ||
        url.host.ends_with('.') || url.host.contains(".."))
        return false;
    const std::uint16_t usual = url.is_tls ? 443 : 80;
    url.port = usual;
    if (!read_port(text.substr(is_bracketed ? end + 1 : end), url.port)) return false;
    url.authority = is_bracketed ? "[" + url.host + "]" : url.host;
    if (url.port != usual) url.authority += ":" + std::to_string(url.port);
    return true;
}

} // namespace

std::string origin_of(const Url& url) {
    return (url.is_tls ? "https://" : "http://") + url.host + ':' + std::to_string(url.port);
}

result::Result<Url> read_url(std::string_view text) {
    const auto scheme_end = text.find("://");
    if (scheme_end == std::string_view::npos || !is_plain(text)) return refuse_url();
    const auto scheme = lower(text.substr(0, scheme_end));
    if (scheme != "https" && scheme != "http") return refuse_url();

    const auto rest = text.substr(scheme_end + 3);
    const auto authority_end = std::min(rest.find_first_of("/?"), rest.size());
    Url url;
    url.is_tls = scheme == "https";
    if (!read_authority(rest.substr(0, authority_end), url)) return refuse_url();
    const auto target = rest.substr(authority_end);
    url.target = (target.starts_with('/') ? "" : "/") + std::string(target);
    return url;
}

} // namespace credlease::outbound
