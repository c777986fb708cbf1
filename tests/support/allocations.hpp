#pragma once

#include <cstdint>

namespace credlease::test {

/// How often this thread has called operator new: for paths that promise to do without.
[[nodiscard]] std::uint64_t allocations();
/// The bytes that operator new has given this thread and not got back, as malloc(3) rounds them: for what promises to
/// be small.
[[nodiscard]] std::int64_t bytes_in_use();

} // namespace credlease::test
