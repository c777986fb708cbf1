#pragma once

#include "broker/unsealed.hpp"

namespace credlease::broker {

/// Sends what a person asked for, or what follows from it, within the owner's share of the room; the broker's own
/// refreshes have another. Waits for that five seconds at most; then it is `overloaded`, and was not sent. `owner`: of
/// the client, or of the credential.
[[nodiscard]] runtime::Task<outbound::Outcome> send_in_share(Unsealed& house, std::string owner,
                                                             outbound::Request request);

} // namespace credlease::broker
