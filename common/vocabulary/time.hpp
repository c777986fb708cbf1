#pragma once

#include "result/result.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace credlease::vocabulary {

/// Wall-clock time, whole milliseconds (UTC).
using Time = std::chrono::sys_time<std::chrono::milliseconds>;
using Duration = std::chrono::milliseconds;

/// "2026-11-22T10:00:00.000Z" (RFC 3339, UTC, milliseconds): always 24 characters for the years 0–9999.
[[nodiscard]] std::string text_of(Time time);
inline constexpr std::size_t time_text_size = 24;
/// Writes 24 characters to `out`.
void write_text(Time time, char* out);
/// RFC 3339 with any offset; a fraction is cut to milliseconds. `invalid_request` without a field.
[[nodiscard]] result::Result<Time> read_time(std::string_view text);

/// `[1-9][0-9]*(ms|s|m|h|d)`, at most 10 years; "0s" only where `allow_zero`.
[[nodiscard]] result::Result<Duration> read_duration(std::string_view text, bool allow_zero = false);
/// The shortest exact form: "90s", "15m", "1h", "400d".
[[nodiscard]] std::string text_of(Duration duration);

} // namespace credlease::vocabulary
