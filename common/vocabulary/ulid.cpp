#include "vocabulary/ulid.hpp"

#include <sodium.h>

#include <cstring>
#include <span>

namespace credlease::vocabulary {
namespace {

constexpr std::string_view alphabet = "0123456789abcdefghjkmnpqrstvwxyz"; // Crockford's: no i, l, o, u

constexpr std::array<std::int8_t, 256> values = [] {
    std::array<std::int8_t, 256> made{};
    made.fill(-1);
    for (std::size_t value = 0; value < alphabet.size(); ++value) {
        const char lower = alphabet[value];
        const char upper = lower >= 'a' ? static_cast<char>(lower - 'a' + 'A') : lower;
        made[static_cast<unsigned char>(lower)] = static_cast<std::int8_t>(value);
        made[static_cast<unsigned char>(upper)] = static_cast<std::int8_t>(value);
    }
    return made;
}();

template <class Number> Number take(std::span<const std::uint8_t> bytes) {
    Number number = 0;
    std::memcpy(&number, bytes.data(), sizeof number);
    return number;
}

} // namespace

void Ulid::write_text(char* out) const {
    std::uint64_t upper = high;
    std::uint64_t lower = low;
    for (std::size_t at = text_size; at-- > 0;) {
        out[at] = alphabet[lower & 31];
        lower = (lower >> 5) | (upper << 59);
        upper >>= 5;
    }
}

std::optional<Ulid> Ulid::find(std::string_view text) {
    if (text.size() != text_size || text[0] > '7') return std::nullopt; // 26 × 5 = 130 bits: the first has 3 of its 5
    Ulid found;
    for (const char c : text) {
        const int value = values[static_cast<unsigned char>(c)];
        if (value < 0) return std::nullopt;
        found.high = (found.high << 5) | (found.low >> 59);
        found.low = (found.low << 5) | static_cast<std::uint64_t>(value);
    }
    return found;
}

Ulid UlidSource::next(std::uint64_t now) {
    constexpr std::size_t most_taken = sizeof(std::uint16_t) + sizeof(std::uint64_t);
    if (used_ + most_taken > pool_.size()) {
        randombytes_buf(pool_.data(), pool_.size());
        used_ = 0;
    }
    const std::span<const std::uint8_t> fresh = std::span(pool_).subspan(used_, most_taken);
    used_ += most_taken;
    if (now > last_.milliseconds()) {
        last_.high = (now << 16) | take<std::uint16_t>(fresh);
        last_.low = take<std::uint64_t>(fresh.subspan(sizeof(std::uint16_t)));
        return last_;
    }
    // The same millisecond, or a clock that went back: the next but some. A carry runs on into the milliseconds.
    const std::uint64_t step = std::uint64_t{1} + take<std::uint32_t>(fresh);
    last_.low += step;
    if (last_.low < step) ++last_.high;
    return last_;
}

} // namespace credlease::vocabulary
