#pragma once

#include "catalog/entry_node.hpp"
#include "catalog/service.hpp"

namespace credlease::catalog {

/// An auth type's "http". Marks its fields with what the places that they go to do not allow.
[[nodiscard]] HttpRules read_http(const boost::json::value& value, const std::string& path, std::vector<Field>& fields,
                                  EntryProblem& problem);

} // namespace credlease::catalog
