#include "outbound/http_date.hpp"

#include <array>
#include <charconv>
#include <cstddef>

namespace credlease::outbound {
namespace {

constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr int two_digit_years_from = 1970; // RFC 850's: "70" is 1970, "69" is 2069

/// Takes dates apart from left to right; after one thing that is not as expected everything is wrong.
class DateText {
  public:
    explicit DateText(std::string_view text) : text_(text) {}

    [[nodiscard]] bool is_whole() const { return is_right_ && text_.empty(); }

    void past(std::string_view expected) {
        if (text_.starts_with(expected))
            text_.remove_prefix(expected.size());
        else
            is_right_ = false;
    }
    void past_first(char mark) {
        const auto at = text_.find(mark);
        is_right_ &= at != std::string_view::npos;
        if (is_right_) text_.remove_prefix(at + 1);
    }
    int number(std::size_t digits) {
        int value = 0;
        const auto part = text_.substr(0, digits);
        const auto read = std::from_chars(part.data(), part.data() + part.size(), value);
        is_right_ &= part.size() == digits && part.front() != '-' && read.ec == std::errc{} &&
                     read.ptr == part.data() + part.size();
        text_.remove_prefix(part.size());
        return value;
    }
    /// asctime(3) writes days below 10 with a space before them.
    int padded_day() {
        const bool is_short = text_.starts_with(' ');
        if (is_short) past(" ");
        return number(is_short ? 1 : 2);
    }
    unsigned month() {
        const auto at = months.find(text_.substr(0, 3));
        is_right_ &= text_.size() >= 3 && at != std::string_view::npos && at % 3 == 0;
        text_.remove_prefix(is_right_ ? 3 : 0);
        return static_cast<unsigned>(at / 3 + 1);
    }
    std::chrono::seconds time() {
        const std::chrono::hours hours(number(2));
        past(":");
        const std::chrono::minutes minutes(number(2));
        past(":");
        const std::chrono::seconds seconds(number(2));
        is_right_ &= hours.count() < 24 && minutes.count() < 60 && seconds.count() <= 60; // 60: a leap second
        return hours + minutes + seconds;
    }

  private:
    std::string_view text_;
    bool is_right_ = true;
};

std::optional<std::chrono::sys_seconds> make(const DateText& text, int year, unsigned month, int day,
                                             std::chrono::seconds time) {
    const std::chrono::year_month_day date(std::chrono::year(year), std::chrono::month(month),
                                           std::chrono::day(static_cast<unsigned>(day)));
    if (!text.is_whole() || !date.ok()) return std::nullopt;
    return std::chrono::sys_days(date) + time;
}

/// "Sun Nov  6 08:49:37 1994"
std::optional<std::chrono::sys_seconds> read_asctime(DateText text) {
    text.past_first(' ');
    const auto month = text.month();
    text.past(" ");
    const int day = text.padded_day();
    text.past(" ");
    const auto time = text.time();
    text.past(" ");
    const int year = text.number(4);
    return make(text, year, month, day, time);
}

/// "Sun, 06 Nov 1994 08:49:37 GMT", or RFC 850's "Sunday, 06-Nov-94 08:49:37 GMT"
std::optional<std::chrono::sys_seconds> read_gmt(DateText text, bool is_rfc850) {
    const std::string_view mark = is_rfc850 ? "-" : " ";
    text.past_first(' ');
    const int day = text.number(2);
    text.past(mark);
    const auto month = text.month();
    text.past(mark);
    int year = text.number(is_rfc850 ? 2 : 4);
    if (is_rfc850) year += year < two_digit_years_from % 100 ? 2000 : 1900;
    text.past(" ");
    const auto time = text.time();
    text.past(" GMT");
    return make(text, year, month, day, time);
}

} // namespace

std::optional<std::chrono::sys_seconds> read_http_date(std::string_view text) {
    const DateText whole(text);
    if (!text.contains(',')) return read_asctime(whole);
    return read_gmt(whole, text.contains('-'));
}

} // namespace credlease::outbound
