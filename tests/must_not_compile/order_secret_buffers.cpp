// must say: invalid operands to binary expression
#include "secret/secret_buffer.hpp"

using credlease::secret::SecretBuffer;

bool is_before(const SecretBuffer& left, const SecretBuffer& right) {
#ifdef MUST_NOT_COMPILE
    return left < right;
#else
    return left.size() < right.size();
#endif
}
