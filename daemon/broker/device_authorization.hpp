#pragma once

#include "broker/authorizations.hpp"

namespace credlease::broker {

/// RFC 8628 §3.1: what a person types where. `invalid_request` where the service has no device flow; `upstream_failed`.
[[nodiscard]] runtime::Task<result::Result<oauth::DeviceGrant>> ask_for_device(Unsealed& house,
                                                                               const TokenClient& client);
/// Polls until the person has decided, the time for it is over, it is given up, or the broker closes.
[[nodiscard]] runtime::Task<> wait_for_device(Unsealed& house, Asker asker, AuthorizationRef one);

} // namespace credlease::broker
