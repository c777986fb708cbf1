// must say: invalid operands to binary expression
#include "secret/secret_buffer.hpp"

#include <ostream>

void show(std::ostream& out, const credlease::secret::SecretBuffer& buffer) {
#ifdef MUST_NOT_COMPILE
    out << buffer;
#else
    out << buffer.size();
#endif
}
