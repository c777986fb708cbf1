#include "settings/net_values.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

namespace credlease::settings {
namespace {

using result::Result;

bool is_host(std::string_view text) {
    constexpr std::string_view allowed = ".-:0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return !text.empty() && text.size() <= 253 && text.find_first_not_of(allowed) == std::string_view::npos;
}

bool is_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
    return failure == std::errc{} && end == text.data() + text.size() && port != 0;
}

bool is_loopback(const std::string& host) {
    in_addr four{};
    if (::inet_pton(AF_INET, host.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24) == 127;
    in6_addr six{};
    return host.size() > 2 && host.front() == '[' && host.back() == ']' &&
           ::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

/// The host (and port) of a URL that begins with `scheme`; empty for any other.
std::string authority_of(std::string_view url, std::string_view scheme) {
    if (!url.starts_with(scheme)) return {};
    url.remove_prefix(scheme.size());
    const auto authority = url.substr(0, url.find_first_of("/?#"));
    return authority.find('@') == std::string_view::npos ? std::string(authority) : std::string();
}

bool is_printable(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

} // namespace

Result<std::string> read_host(const Node& node) {
    auto host = read_string(node);
    if (host && !is_host(*host)) return wrong("A host name or address is expected here.", "Write it without a port.");
    return host;
}

Result<std::string> read_loopback_address(const Node& node) {
    auto address = read_string(node);
    if (!address) return address;
    const auto colon = address->rfind(':');
    if (colon == std::string::npos || !is_loopback(address->substr(0, colon)) || !is_port(address->substr(colon + 1))) {
        return wrong("A loopback address and a port are expected here.", "Write them like \"127.0.0.1:7466\".");
    }
    return address;
}

Result<std::string> read_public_url(const Node& node) {
    auto url = read_string(node);
    if (!url || url->empty()) return url;
    if (!is_printable(*url) || authority_of(*url, "https://").empty() ||
        url->find_first_of("?#") != std::string::npos) {
        return wrong("An https URL without a query is expected here.", "Write it like \"https://broker.example.org\".");
    }
    return url;
}

Result<std::string> read_redirect_uri(const Node& node) {
    auto uri = read_string(node);
    if (!uri) return uri;
    const auto plain = authority_of(*uri, "http://");
    const bool on_loopback = is_loopback(plain.substr(0, plain.rfind(':'))) || is_loopback(plain) ||
                             plain == "localhost" || plain.starts_with("localhost:");
    const bool fits = !authority_of(*uri, "https://").empty() || on_loopback;
    if (!fits || !is_printable(*uri) || uri->find('#') != std::string::npos) {
        return wrong("A redirect URI is https, or http on loopback, without a fragment.",
                     "Write it as it is registered with the provider.");
    }
    return uri;
}

} // namespace credlease::settings
