// must say: overload resolution selected deleted operator '=='
#include "secret/secret_buffer.hpp"

using credlease::secret::SecretBuffer;

bool same(const SecretBuffer& left, const SecretBuffer& right) {
#ifdef MUST_NOT_COMPILE
    return left == right;
#else
    return left.size() == right.size();
#endif
}
