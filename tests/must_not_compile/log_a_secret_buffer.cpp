// must say: fmt::detail::fallback_formatter<credlease::secret::SecretBuffer>
#include "secret/secret_buffer.hpp"

#include <spdlog/spdlog.h>

void log(const credlease::secret::SecretBuffer& buffer) {
#ifdef MUST_NOT_COMPILE
    spdlog::info("got {}", buffer);
#else
    spdlog::info("got {} bytes", buffer.size());
#endif
}
