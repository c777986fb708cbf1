#pragma once

#include <cstdint>
#include <memory>

namespace credlease::client {

/// Names this process among its forks: another number in each forked child.
using ProcessMark = std::uint64_t;
[[nodiscard]] ProcessMark this_process();

/// In a forked child, what the parent made is left as it is: a thread that does not exist here may hold its locks, its
/// locked memory is empty, its leases are the parent's.
template <class Owner> void abandon(Owner& owner) {
    [[maybe_unused]] const auto* left = new Owner(std::move(owner)); // NOLINT(cppcoreguidelines-owning-memory)
}

} // namespace credlease::client
