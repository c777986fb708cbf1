// must say: ignoring return value of function declared with 'nodiscard' attribute
#include "result/result.hpp"

credlease::result::Result<> store(int number) {
    if (number < 0) return credlease::result::refuse({});
    return {};
}

bool store_two() {
#ifdef MUST_NOT_COMPILE
    store(1);
#endif
    return store(2).has_value();
}
