#include "vocabulary/time.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>

namespace credlease::vocabulary {
namespace {

using namespace std::chrono;

constexpr Time earliest = sys_days(year(0) / January / 1);
constexpr Time latest = sys_days(year(9999) / December / 31) + days(1) - milliseconds(1);
constexpr Duration longest = years(10);

void write_digits(char* out, std::int64_t number, int count) {
    for (int at = count; at-- > 0; number /= 10) out[at] = static_cast<char>('0' + number % 10);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Reads a text from its front; once something is missing, `ok` stays false.
struct Reader {
    std::string_view rest;
    bool ok = true;

    int digits(std::size_t count) {
        int number = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const bool there = i < rest.size() && is_digit(rest[i]);
            if (!there) ok = false;
            if (!ok) return 0;
            number = number * 10 + (rest[i] - '0');
        }
        rest.remove_prefix(count);
        return number;
    }
    bool next_is(char c) {
        if (rest.empty() || std::toupper(static_cast<unsigned char>(rest[0])) != c) return false;
        rest.remove_prefix(1);
        return true;
    }
    void expect(char c) {
        if (!next_is(c)) ok = false;
    }
};

Time read_date(Reader& reader) {
    const year_month_day date = [&] {
        const year y(reader.digits(4));
        reader.expect('-');
        const month m(static_cast<unsigned>(reader.digits(2)));
        reader.expect('-');
        return y / m / day(static_cast<unsigned>(reader.digits(2)));
    }();
    if (!date.ok()) reader.ok = false;
    return reader.ok ? sys_days(date) : Time{};
}

milliseconds read_fraction(Reader& reader) {
    if (!reader.next_is('.')) return {};
    std::size_t count = 0;
    while (count < reader.rest.size() && is_digit(reader.rest[count])) ++count;
    if (count == 0) reader.ok = false;
    int number = 0;
    for (std::size_t i = 0; i < 3; ++i) number = number * 10 + (i < count ? reader.rest[i] - '0' : 0);
    reader.rest.remove_prefix(count);
    return milliseconds(number);
}

milliseconds read_clock(Reader& reader) {
    const int hour = reader.digits(2);
    reader.expect(':');
    const int minute = reader.digits(2);
    reader.expect(':');
    const int second = reader.digits(2); // 60: a leap second, which becomes the next one (as in POSIX)
    if (hour > 23 || minute > 59 || second > 60) reader.ok = false;
    return hours(hour) + minutes(minute) + seconds(second) + read_fraction(reader);
}

minutes read_offset(Reader& reader) {
    if (reader.next_is('Z')) return {};
    const bool ahead = reader.next_is('+');
    if (!ahead) reader.expect('-');
    const int hour = reader.digits(2);
    reader.expect(':');
    const int minute = reader.digits(2);
    if (hour > 23 || minute > 59) reader.ok = false;
    const minutes offset = hours(hour) + minutes(minute);
    return ahead ? offset : -offset;
}

struct Unit {
    std::string_view name;
    Duration length;
};
constexpr std::array<Unit, 5> units = {
    {{"d", hours(24)}, {"h", hours(1)}, {"m", minutes(1)}, {"s", seconds(1)}, {"ms", milliseconds(1)}}};

std::optional<Duration> find_duration(std::string_view text, bool allow_zero) {
    if (allow_zero && text == "0s") return Duration::zero();
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || !(text[0] >= '1' && text[0] <= '9')) return std::nullopt;
    const auto name = text.substr(static_cast<std::size_t>(end - text.data()));
    const auto unit = std::ranges::find(units, name, &Unit::name);
    if (unit == units.end() || count > longest / unit->length) return std::nullopt;
    return count * unit->length;
}

} // namespace

void write_text(Time time, char* out) {
    time = std::clamp(time, earliest, latest);
    const auto midnight = floor<days>(time);
    const year_month_day date(midnight);
    const hh_mm_ss clock(time - midnight);
    write_digits(out, static_cast<int>(date.year()), 4);
    out[4] = '-';
    write_digits(out + 5, static_cast<unsigned>(date.month()), 2);
    out[7] = '-';
    write_digits(out + 8, static_cast<unsigned>(date.day()), 2);
    out[10] = 'T';
    write_digits(out + 11, clock.hours().count(), 2);
    out[13] = ':';
    write_digits(out + 14, clock.minutes().count(), 2);
    out[16] = ':';
    write_digits(out + 17, clock.seconds().count(), 2);
    out[19] = '.';
    write_digits(out + 20, clock.subseconds().count(), 3);
    out[23] = 'Z';
}

std::string text_of(Time time) {
    std::string text(time_text_size, '\0');
    write_text(time, text.data());
    return text;
}

result::Result<Time> read_time(std::string_view text) {
    Reader reader{text};
    const Time date = read_date(reader);
    reader.expect('T');
    const milliseconds clock = read_clock(reader);
    const Time time = date + clock - read_offset(reader);
    if (!reader.ok || !reader.rest.empty() || time < earliest || time > latest)
        return result::refuse(result::invalid("", "A time looks like 2026-11-22T10:00:00Z (RFC 3339)."));
    return time;
}

result::Result<Duration> read_duration(std::string_view text, bool allow_zero) {
    if (const auto found = find_duration(text, allow_zero)) return *found;
    return result::refuse(
        result::invalid("", "A duration looks like 90s, 15m, 1h or 400d, with ms, s, m, h or d, at most 10 years."));
}

std::string text_of(Duration duration) {
    if (duration == Duration::zero()) return "0s";
    const auto unit =
        std::ranges::find_if(units, [&](const Unit& each) { return duration % each.length == Duration::zero(); });
    return std::to_string(duration / unit->length).append(unit->name);
}

} // namespace credlease::vocabulary
