// must say: no matching conversion for functional-style cast from 'const SecretBuffer' to 'std::string'
#include "secret/secret_buffer.hpp"

#include <string>

using credlease::secret::SecretBuffer;

std::string text_of(const SecretBuffer& buffer) {
#ifdef MUST_NOT_COMPILE
    return std::string(buffer);
#else
    return std::string(buffer.size(), '*');
#endif
}
