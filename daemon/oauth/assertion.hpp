#pragma once

#include "oauth/requests.hpp"

namespace credlease::oauth {

/// A JWT (RFC 7519) over the entry's claims, signed with the credential's private key (RS256). For this room's own
/// .cpp files.
[[nodiscard]] result::Result<secret::SecretBuffer> make_assertion(const Client& client, vocabulary::Time now);

} // namespace credlease::oauth
