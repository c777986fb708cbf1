#pragma once

#include "broker/unsealed.hpp"
#include "oauth/terms.hpp"

namespace credlease::broker {

/// What the issuer's metadata say (RFC 8414, OpenID Connect Discovery), where a credential's fields name an issuer;
/// nothing where they don't. `upstream_failed` where there are none. The credential may be another afterwards.
[[nodiscard]] runtime::Task<result::Result<oauth::Discovered>> find_endpoints(Unsealed& house, vocabulary::Scope scope,
                                                                              vocabulary::CredentialId id);

} // namespace credlease::broker
