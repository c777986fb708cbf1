// must say: error:
#include "secret/secret_buffer.hpp"

#include <format>

std::string shown(const credlease::secret::SecretBuffer& buffer) {
#ifdef MUST_NOT_COMPILE
    return std::format("{}", buffer);
#else
    return std::format("{}", buffer.size());
#endif
}
