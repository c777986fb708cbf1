#pragma once

#include "cli/invocation.hpp"

#include <string>

namespace credlease::cli {

struct Authorizing {
    std::string id{};
    std::string name{}; ///< printable
    bool by_device = false;
    bool is_waited_for = true; ///< else a person is told what to do, and how it goes on then
};

/// Leads a person through the authorization of a credential: opens the browser or shows the address, and waits until
/// the browser came back to the broker or the address that it was sent to is pasted, whichever is first; by device
/// shows what is to be typed where, and waits. Of one that needs no person it waits for its tokens.
[[nodiscard]] Result<int> authorize(const Invocation& invocation, const Authorizing& asked);

} // namespace credlease::cli
