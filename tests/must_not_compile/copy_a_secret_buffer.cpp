// must say: functional-style cast from 'SecretBuffer' to 'SecretBuffer' uses deleted function
#include "secret/secret_buffer.hpp"

using credlease::secret::SecretBuffer;

SecretBuffer taken(SecretBuffer buffer) {
#ifdef MUST_NOT_COMPILE
    return SecretBuffer(buffer);
#else
    return SecretBuffer(std::move(buffer));
#endif
}
