#include "audit/hex.hpp"

#include <charconv>

namespace credlease::audit {

std::string hex_of(std::span<const std::uint8_t> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string made;
    made.reserve(2 * bytes.size());
    for (const auto byte : bytes) {
        made.push_back(digits[byte >> 4]);
        made.push_back(digits[byte & 0xf]);
    }
    return made;
}

std::optional<mac::Digest> read_hex(std::string_view text) {
    mac::Digest read{};
    if (text.size() != 2 * read.size()) return std::nullopt;
    for (std::size_t i = 0; i < read.size(); ++i) {
        const char* const begin = text.data() + 2 * i;
        const auto [end, error] = std::from_chars(begin, begin + 2, read[i], 16);
        if (error != std::errc{} || end != begin + 2) return std::nullopt;
    }
    return read;
}

} // namespace credlease::audit
