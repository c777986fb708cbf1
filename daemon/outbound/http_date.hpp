#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace credlease::outbound {

/// A date as HTTP writes it, in any of its three forms (RFC 9110 §5.6.7).
[[nodiscard]] std::optional<std::chrono::sys_seconds> read_http_date(std::string_view text);

} // namespace credlease::outbound
