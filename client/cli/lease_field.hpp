#pragma once

#include "credlease/client.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace credlease::cli {

/// Shows one field of a lease, secret or public, to `use`. An empty name is the only secret field; `usage` where there
/// are several, and names them.
Result<void> show_field(const Lease& lease, const std::string& field, const std::function<void(std::string_view)>& use);

} // namespace credlease::cli
