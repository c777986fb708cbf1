#pragma once

#include "catalog/entry_node.hpp"
#include "catalog/service.hpp"

namespace credlease::catalog {

/// The `oauth` of an auth type. It marks fields that go into headers of token requests.
[[nodiscard]] OAuth read_oauth(const boost::json::value& value, const std::string& path, std::vector<Field>& fields,
                               EntryProblem& problem);

} // namespace credlease::catalog
