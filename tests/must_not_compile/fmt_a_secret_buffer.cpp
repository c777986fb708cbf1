// must say: fmt::detail::fallback_formatter<credlease::secret::SecretBuffer>
#include "secret/secret_buffer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

std::string shown(const credlease::secret::SecretBuffer& buffer) {
#ifdef MUST_NOT_COMPILE
    return fmt::format("{}", buffer);
#else
    return fmt::format("{}", buffer.size());
#endif
}
