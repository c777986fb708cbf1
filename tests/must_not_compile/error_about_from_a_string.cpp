// must say: no viable overloaded '='
#include "result/error.hpp"

void describe(credlease::result::Error& error, const std::string& text) {
#ifdef MUST_NOT_COMPILE
    error.about = text;
#else
    error.about = credlease::result::PublicText::of(text);
#endif
}
