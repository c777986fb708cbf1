#include "audit/encoding.hpp"

namespace credlease::audit {

void Encoder::number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) byte(static_cast<std::uint8_t>(value | 0x80));
    byte(static_cast<std::uint8_t>(value));
}

void Encoder::signed_number(std::int64_t value) {
    number(static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
}

void Encoder::text(std::string_view value) {
    number(value.size());
    bytes(mac::bytes_of(value));
}

std::uint8_t Decoder::byte() {
    const Bytes one = bytes(1);
    return one.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(one.front());
}

std::uint64_t Decoder::number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const std::uint64_t part = byte();
        if (shift == 63 && part > 1) break; // more than 64 bits
        value |= (part & 0x7f) << shift;
        if (part < 0x80) return failed_ ? 0 : value;
    }
    fail();
    return 0;
}

std::uint64_t Decoder::number(std::uint64_t most) {
    const auto value = number();
    if (value > most) fail();
    return failed_ ? 0 : value;
}

std::int64_t Decoder::signed_number() {
    const auto value = number();
    return static_cast<std::int64_t>(value >> 1 ^ (0 - (value & 1)));
}

std::uint64_t Decoder::fixed_number() {
    std::uint64_t value = 0;
    const auto bytes = fixed<sizeof value>();
    for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | bytes[i];
    return value;
}

Bytes Decoder::bytes(std::uint64_t size) {
    if (failed_ || size > in_.size()) {
        fail();
        return {};
    }
    const Bytes read = in_.first(static_cast<std::size_t>(size));
    in_ = in_.subspan(static_cast<std::size_t>(size));
    return read;
}

std::string_view Decoder::text() {
    const Bytes read = bytes(number());
    return {reinterpret_cast<const char*>(read.data()), read.size()};
}

} // namespace credlease::audit
