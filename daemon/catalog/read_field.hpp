#pragma once

#include "catalog/entry_node.hpp"
#include "catalog/service.hpp"

namespace credlease::catalog {

/// One item of an auth type's "fields".
[[nodiscard]] Field read_field(const boost::json::value& value, const std::string& path, EntryProblem& problem);

} // namespace credlease::catalog
