#pragma once

#include "outbound/outbound.hpp"
#include "outbound/url.hpp"

namespace credlease::outbound {

/// The request as it is sent (RFC 9112), in the arena: one that asks for an answer as it is, and that the connection be
/// closed after it unless the request may be repeated. `invalid_request` where a header can't be one, `overloaded`
/// where the arena is full.
[[nodiscard]] result::Result<secret::SecretBuffer> write_request(secret::Arena& arena, const Request& request,
                                                                 const Url& url);

} // namespace credlease::outbound
