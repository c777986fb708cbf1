// must say: is not a constant expression
#include "result/static_text.hpp"

using credlease::result::StaticText;

StaticText sentence(const char (&text)[8]) {
#ifdef MUST_NOT_COMPILE
    return StaticText(text);
#else
    return text[0] == 0 ? StaticText("empty") : StaticText("full");
#endif
}
