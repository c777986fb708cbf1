// must say: overload resolution selected deleted operator '='
#include "secret/secret_buffer.hpp"

using credlease::secret::SecretBuffer;

void take(SecretBuffer& to, SecretBuffer& from) {
#ifdef MUST_NOT_COMPILE
    to = from;
#else
    to = std::move(from);
#endif
}
