#pragma once

#include "cli/terminal.hpp"

#include <string_view>

namespace credlease::cli {

inline Color color_of_status(std::string_view status) {
    if (status == "active") return Color::good;
    return status == "revoked" || status == "expired" ? Color::bad : Color::warning;
}

} // namespace credlease::cli
