#pragma once

#include <string>
#include <string_view>

namespace credlease::cli {

/// Writes all of `text`, straight to the descriptor: no stream keeps a copy. False when nobody reads it any more.
bool write_all(int descriptor, std::string_view text);

/// Whether a person can be asked: standard input and standard error are a terminal.
[[nodiscard]] bool can_ask();
/// Whether standard output may be colored: a terminal, and NO_COLOR is not set (https://no-color.org).
[[nodiscard]] bool is_colored();

enum class Color { none, good, warning, bad, faint };
/// `text` in that color, where colors are shown.
[[nodiscard]] std::string in(Color color, std::string_view text);

/// How many characters of UTF-8, which is also how many columns nearly all of them take.
[[nodiscard]] std::size_t characters_in(std::string_view text);

/// Text from elsewhere, fit for a terminal: control characters become '?'.
enum class Lines { one, several };
[[nodiscard]] std::string printable(std::string_view text, Lines lines = Lines::one);

} // namespace credlease::cli
