#pragma once

#include "cli/invocation.hpp"

#include <string>

namespace credlease::cli {

/// Leads a person through the authorization of a credential: opens the browser or shows the address, and waits until
/// the browser came back to the broker or the address that it was sent to is pasted, whichever is first; by device
/// shows what is to be typed where, and waits. Of one that needs no person it waits for its tokens. `found` is its name
/// and id, for people.
[[nodiscard]] Result<int> authorize(const Invocation& invocation, const std::string& id, const std::string& found,
                                    bool by_device);

} // namespace credlease::cli
