#include "cli/terminal.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <unistd.h>

namespace credlease::cli {
namespace {

const char* start_of(Color color) {
    switch (color) {
    case Color::good:
        return "\033[32m";
    case Color::warning:
        return "\033[33m";
    case Color::bad:
        return "\033[31m";
    case Color::faint:
        return "\033[2m";
    case Color::none:
        break;
    }
    return "";
}

/// C0, DEL, and C1 in UTF-8 (U+0080 to U+009F): a terminal obeys them all.
bool starts_control(std::string_view text, std::size_t at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x20 || byte == 0x7f) return true;
    return byte == 0xc2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xa0;
}

} // namespace

bool write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = write(descriptor, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

bool can_ask() { return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1; }

bool is_colored() {
    const char* refused = std::getenv("NO_COLOR");
    const char* terminal = std::getenv("TERM");
    const bool is_dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
    return isatty(STDOUT_FILENO) == 1 && !is_dumb && (refused == nullptr || *refused == '\0');
}

std::string in(Color color, std::string_view text) {
    if (color == Color::none || !is_colored()) return std::string(text);
    return start_of(color) + std::string(text) + "\033[0m";
}

std::size_t characters_in(std::string_view text) {
    const auto begins_one = [](unsigned char byte) { return (byte & 0xc0) != 0x80; };
    return static_cast<std::size_t>(std::ranges::count_if(text, begins_one));
}

std::string printable(std::string_view text, Lines lines) {
    std::string shown;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (lines == Lines::several && text[at] == '\n') {
            shown += '\n';
        } else if (starts_control(text, at)) {
            shown += '?';
            if (static_cast<unsigned char>(text[at]) == 0xc2) ++at;
        } else {
            shown += text[at];
        }
    }
    return shown;
}

} // namespace credlease::cli
