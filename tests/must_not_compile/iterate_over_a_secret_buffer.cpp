// must say: invalid range expression of type 'const credlease::secret::SecretBuffer'
#include "secret/secret_buffer.hpp"

int sum(const credlease::secret::SecretBuffer& buffer) {
    int sum = 0;
#ifdef MUST_NOT_COMPILE
    for (const std::byte each : buffer) sum += std::to_integer<int>(each);
#else
    buffer.expose([&](std::span<const std::byte> bytes) {
        for (const std::byte each : bytes) sum += std::to_integer<int>(each);
    });
#endif
    return sum;
}
