// must say: no matching function for call to 'send'
#include "secret/secret.hpp"

struct RefreshTokenKind {};
struct AccessTokenKind {};
using RefreshToken = credlease::secret::Secret<RefreshTokenKind>;
using AccessToken = credlease::secret::Secret<AccessTokenKind>;

void send(const AccessToken&) {}

void lease(const RefreshToken& refresh, const AccessToken& access) {
#ifdef MUST_NOT_COMPILE
    send(refresh);
#else
    send(access);
#endif
    static_cast<void>(refresh);
    static_cast<void>(access);
}
