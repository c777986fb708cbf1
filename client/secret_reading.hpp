#pragma once

#include "client/memory.hpp"

namespace credlease::client {

/// Reads a descriptor to its end, straight into locked memory.
[[nodiscard]] Result<GrowingSecret> read_all(int descriptor, std::size_t most);

/// Reads one line without its newline, and nothing past it.
[[nodiscard]] Result<GrowingSecret> read_one_line(int descriptor, std::size_t most);

} // namespace credlease::client
