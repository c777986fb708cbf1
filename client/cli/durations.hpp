#pragma once

#include "credlease/client.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace credlease::cli {

/// "500ms", "90s", "15m", "1h", "30d"; empty: none. `usage` otherwise.
[[nodiscard]] Result<std::optional<std::chrono::milliseconds>> read_duration(const std::string& option,
                                                                             const std::string& text);

/// A point in time for a query: RFC 3339 as it is, a duration as that long ago, empty as none. `usage` otherwise.
[[nodiscard]] Result<std::string> read_moment(const std::string& option, const std::string& text);

/// `usage` where it is no RFC 3339 time; empty: none was given.
[[nodiscard]] Result<void> check_time(const std::string& option, const std::string& text);

} // namespace credlease::cli
