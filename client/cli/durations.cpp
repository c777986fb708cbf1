#include "cli/durations.hpp"

#include "cli/invocation.hpp"

#include <array>
#include <charconv>
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

} // namespace credlease::cli
