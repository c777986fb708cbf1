// must say: no matching conversion for functional-style cast from 'const char *' to 'StaticText'
#include "result/static_text.hpp"

#include <string>

using credlease::result::StaticText;

StaticText sentence(const std::string& text) {
#ifdef MUST_NOT_COMPILE
    return StaticText(text.c_str());
#else
    return text.empty() ? StaticText("empty") : StaticText("full");
#endif
}
