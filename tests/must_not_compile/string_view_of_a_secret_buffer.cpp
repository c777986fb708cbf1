// must say: no viable conversion from 'const credlease::secret::SecretBuffer' to 'const std::string_view'
#include "secret/secret_buffer.hpp"

std::size_t length(std::string_view text) { return text.size(); }

std::size_t length(const credlease::secret::SecretBuffer& buffer, bool) {
#ifdef MUST_NOT_COMPILE
    const std::string_view text = buffer;
    return length(text);
#else
    return length("") + buffer.size();
#endif
}
