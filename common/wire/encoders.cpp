#include "wire/encoders.hpp"

#include "secret/wipe.hpp"

namespace credlease::wire {

void write_url_encoded(SecretJsonWriter& writer, std::string_view text) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    for (const char c : text) {
        const bool is_unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                   c == '-' || c == '.' || c == '_' || c == '~';
        char* out = writer.take(is_unreserved ? 1 : 3);
        if (!out) return;
        if (is_unreserved) {
            *out = c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out[0] = '%';
            out[1] = digits[byte >> 4];
            out[2] = digits[byte & 15];
        }
    }
}

Base64Writer::~Base64Writer() { secret::wipe(std::as_writable_bytes(std::span(&bits_, 1))); }

void Base64Writer::add(std::string_view text) {
    for (const char c : text) {
        bits_ = bits_ << 8 | static_cast<unsigned char>(c);
        if (++held_ == 3) flush(4);
    }
}

void Base64Writer::finish() {
    if (held_ == 0) return;
    const std::size_t characters = held_ + 1;
    bits_ <<= 8 * (3 - held_);
    flush(characters);
    if (alphabet_ == Alphabet::standard) writer_.raw(std::string_view("==").substr(0, 4 - characters));
}

void Base64Writer::flush(std::size_t characters) {
    static constexpr std::string_view standard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static constexpr std::string_view url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const std::string_view letters = alphabet_ == Alphabet::standard ? standard : url;
    if (char* out = writer_.take(characters)) {
        for (std::size_t i = 0; i < characters; ++i) out[i] = letters[bits_ >> (18 - 6 * i) & 63];
    }
    bits_ = 0;
    held_ = 0;
}

} // namespace credlease::wire
