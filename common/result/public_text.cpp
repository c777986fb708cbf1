#include "result/public_text.hpp"

namespace credlease::result {

PublicText PublicText::of(std::string_view shown) {
    constexpr std::size_t most = 512;
    PublicText made;
    made.text_ = shown.substr(0, most);
    for (char& c : made.text_) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    }
    return made;
}

} // namespace credlease::result
