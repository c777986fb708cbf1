#pragma once

#include "mac/mac.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace credlease::audit {

/// Lower-case.
[[nodiscard]] std::string hex_of(std::span<const std::uint8_t> bytes);
[[nodiscard]] std::optional<mac::Digest> read_hex(std::string_view text);

} // namespace credlease::audit
