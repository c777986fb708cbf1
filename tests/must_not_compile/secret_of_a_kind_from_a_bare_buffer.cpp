// must say: no matching function for call to 'send'
#include "secret/secret.hpp"

struct AccessTokenKind {};
using AccessToken = credlease::secret::Secret<AccessTokenKind>;

void send(const AccessToken&) {}

void lease(credlease::secret::SecretBuffer buffer) {
#ifdef MUST_NOT_COMPILE
    send(std::move(buffer));
#else
    send(AccessToken(std::move(buffer)));
#endif
}
