#include "oauth/form.hpp"

#include <algorithm>

namespace credlease::oauth {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

FormReader::FormReader(std::string_view text, secret::Arena& arena) : text_(text) {
    auto made = secret::SecretBuffer::make(arena, text.size(), secret::Share::tokens);
    if (made) {
        decoded_ = std::move(*made);
    } else {
        broken_ = true;
    }
}

std::optional<FormReader::Item> FormReader::next() {
    while (!broken_ && !text_.empty()) {
        const std::size_t size = std::min(text_.find('&'), text_.size());
        const std::string_view pair = text_.substr(0, size);
        text_.remove_prefix(std::min(size + 1, text_.size()));
        if (pair.empty()) continue;
        const std::size_t sign = std::min(pair.find('='), pair.size());
        const auto item = decoded_.expose_to_write([&](std::span<std::byte> bytes) -> std::optional<Item> {
            const std::span<char> out(reinterpret_cast<char*>(bytes.data()), bytes.size());
            const auto name = decode(pair.substr(0, sign), out);
            const auto value = decode(pair.substr(std::min(sign + 1, pair.size())), out.subspan(sign));
            if (!name || !value) return std::nullopt;
            return Item{.name = *name, .value = *value};
        });
        if (!item) broken_ = true;
        return item;
    }
    return std::nullopt;
}

std::optional<std::string_view> FormReader::decode(std::string_view encoded, std::span<char> out) {
    std::size_t size = 0;
    for (std::size_t at = 0; at < encoded.size(); ++at) {
        char c = encoded[at] == '+' ? ' ' : encoded[at];
        if (c == '%') {
            if (at + 2 >= encoded.size()) return std::nullopt;
            const int high = hex_digit(encoded[at + 1]);
            const int low = hex_digit(encoded[at + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            c = static_cast<char>(high * 16 + low);
            at += 2;
        }
        out[size++] = c;
    }
    return std::string_view(out.data(), size);
}

std::vector<std::string_view> split(std::string_view text) {
    constexpr std::string_view between = " ,\t\r\n";
    std::vector<std::string_view> words;
    while (true) {
        const std::size_t begin = text.find_first_not_of(between);
        if (begin == text.npos) return words;
        text.remove_prefix(begin);
        const std::size_t size = std::min(text.find_first_of(between), text.size());
        words.push_back(text.substr(0, size));
        text.remove_prefix(size);
    }
}

} // namespace credlease::oauth
