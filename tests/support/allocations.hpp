#pragma once

#include <cstdint>

namespace credlease::test {

/// How often this thread has called operator new: for paths that promise to do without.
[[nodiscard]] std::uint64_t allocations();

} // namespace credlease::test
