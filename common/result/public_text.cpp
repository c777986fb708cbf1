#include "result/public_text.hpp"

namespace credlease::result {
namespace {

/// The longest beginning of `text` with at most `most` bytes that splits no UTF-8 character.
std::string_view cut(std::string_view text, std::size_t most) {
    if (text.size() <= most) return text;
    const auto continues = [&](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80; };
    std::size_t end = most;
    while (end > 0 && continues(end)) --end;
    return text.substr(0, end);
}

} // namespace

PublicText PublicText::of(std::string_view shown) {
    constexpr std::size_t most = 512;
    PublicText made;
    made.text_ = cut(shown, most);
    for (char& c : made.text_) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    }
    return made;
}

} // namespace credlease::result
