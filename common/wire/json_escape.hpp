#pragma once

#include <array>
#include <string_view>

namespace credlease::wire {

/// Whether `text` holds a character that JSON text may not hold as it is (RFC 8259 §7). Without a branch in the loop,
/// so that it runs 16 or 32 bytes at a time.
[[nodiscard]] inline bool needs_escape(std::string_view text) {
    unsigned found = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        found |= static_cast<unsigned>(byte < 0x20) | static_cast<unsigned>(byte == '"') |
                 static_cast<unsigned>(byte == '\\');
    }
    return found != 0;
}

/// Calls `append(data, size)` with the pieces of `text` as JSON text, without quotes.
template <class Append> void escape(std::string_view text, Append append) {
    constexpr std::string_view hex = "0123456789abcdef";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte == '"' || byte == '\\') {
            const std::array<char, 2> pair{'\\', c};
            append(pair.data(), pair.size());
        } else if (byte == '\n') {
            append("\\n", 2);
        } else if (byte == '\r') {
            append("\\r", 2);
        } else if (byte == '\t') {
            append("\\t", 2);
        } else if (byte < 0x20) {
            const std::array<char, 6> code{'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
            append(code.data(), code.size());
        } else {
            append(&c, 1);
        }
    }
}

} // namespace credlease::wire
