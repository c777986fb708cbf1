#include "catalog/url.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace credlease::catalog {
namespace {

bool starts_with_folded(std::string_view text, std::string_view lower) {
    return text.size() >= lower.size() && std::ranges::equal(text.substr(0, lower.size()), lower, [](char a, char b) {
               return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
           });
}

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_';
}

bool is_address_character(char c) {
    return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == ':' || c == '.';
}

/// Empty, or ":1" to ":65535".
bool is_port(std::string_view text) {
    if (text.empty()) return true;
    std::uint16_t port = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + 1, end, port);
    return text.front() == ':' && read.ec == std::errc{} && read.ptr == end && port != 0;
}

bool is_host_label(std::string_view text) {
    const auto is_inside = [](char c) { return is_host_character(c) && c != '.' && c != '_'; };
    return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
           std::ranges::all_of(text, is_inside);
}

} // namespace

bool is_host_name(std::string_view text) {
    if (text.size() > 253) return false;
    while (true) {
        const std::size_t dot = text.find('.');
        if (!is_host_label(text.substr(0, dot))) return false;
        if (dot == text.npos) return true;
        text.remove_prefix(dot + 1);
    }
}

std::optional<std::string_view> find_host(std::string_view url) {
    const auto is_out_of_place = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte <= ' ' || byte >= 0x7f || std::string_view("\"<>\\^`{|}?#").contains(c);
    };
    if (std::ranges::any_of(url, is_out_of_place)) return std::nullopt;
    if (starts_with_folded(url, "https://")) {
        url.remove_prefix(8);
    } else if (starts_with_folded(url, "http://")) {
        url.remove_prefix(7);
    } else {
        return std::nullopt;
    }
    const std::string_view authority = url.substr(0, url.find('/'));
    const bool is_bracketed = authority.starts_with('[');
    const std::size_t close = authority.find(']');
    if (is_bracketed && close == std::string_view::npos) return std::nullopt;
    const std::size_t end = is_bracketed ? close + 1 : std::min(authority.find(':'), authority.size());
    const std::string_view host = authority.substr(0, end);
    const std::string_view inside = is_bracketed ? host.substr(1, host.size() - 2) : host;
    if (inside.empty() || !std::ranges::all_of(inside, is_bracketed ? is_address_character : is_host_character)) {
        return std::nullopt;
    }
    return is_port(authority.substr(end)) ? std::optional(host) : std::nullopt;
}

} // namespace credlease::catalog
