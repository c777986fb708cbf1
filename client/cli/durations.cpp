#include "cli/durations.hpp"

#include "cli/invocation.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <string_view>

namespace credlease::cli {
namespace {

using namespace std::chrono_literals;

struct Unit {
    std::string_view name;
    std::chrono::milliseconds length;
};
constexpr std::array<Unit, 5> units = {{{"ms", 1ms}, {"s", 1s}, {"m", 1min}, {"h", 1h}, {"d", 24h}}};
constexpr std::chrono::milliseconds longest = 24h * 3650;

/// RFC 3339 in UTC, to the second.
std::string text_of(std::chrono::system_clock::time_point at) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> room{};
    return {room.data(), std::strftime(room.data(), room.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

/// Enough to tell a time from a slip; the broker reads it.
bool looks_like_a_time(const std::string& text) {
    return text.size() > 10 && text[4] == '-' && text[7] == '-' && (text[10] == 'T' || text[10] == 't');
}

/// The text behind the seconds: "Z", ".250+01:00".
bool ends_a_time(std::string_view rest) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (rest.starts_with('.')) {
        const auto behind = std::ranges::find_if_not(rest.substr(1), is_digit);
        const auto count = static_cast<std::size_t>(behind - rest.begin());
        if (count == 1) return false;
        rest.remove_prefix(count);
    }
    if (rest == "Z" || rest == "z") return true;
    const bool is_offset = rest.size() == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':';
    return is_offset && is_digit(rest[1]) && is_digit(rest[2]) && is_digit(rest[4]) && is_digit(rest[5]);
}

/// RFC 3339, of a day that there is.
bool is_time(const std::string& text) {
    if (!looks_like_a_time(text)) return false;
    std::string upper = text;
    upper[10] = 'T';
    std::tm parts{};
    const char* rest = strptime(upper.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
    if (rest == nullptr || !ends_a_time(rest)) return false;
    std::tm real = parts;
    timegm(&real);
    return real.tm_mday == parts.tm_mday || parts.tm_sec == 60;
}

} // namespace

Result<std::optional<std::chrono::milliseconds>> read_duration(const std::string& option, const std::string& text) {
    using Maybe = std::optional<std::chrono::milliseconds>;
    if (text.empty()) return Maybe();
    std::int64_t count = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
    const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
    for (const Unit& unit : units) {
        const bool fits = failed == std::errc{} && rest == unit.name && count > 0 && count <= longest / unit.length;
        if (fits) return Maybe(count * unit.length);
    }
    return usage(option + " is a duration such as 90s, 15m, 1h or 30d.");
}

Result<std::string> read_moment(const std::string& option, const std::string& text) {
    if (text.empty() || looks_like_a_time(text)) return text;
    const auto ago = read_duration(option, text);
    if (ago) return text_of(std::chrono::system_clock::now() - **ago);
    return usage(option + " is a time such as 2026-11-22T10:00:00Z, or a duration such as 1h for that long ago.");
}

Result<void> check_time(const std::string& option, const std::string& text) {
    if (text.empty() || is_time(text)) return {};
    return usage(option + " is a time such as 2028-01-01T00:00:00Z (RFC 3339).");
}

} // namespace credlease::cli
