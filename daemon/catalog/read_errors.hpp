#pragma once

#include "catalog/entry_node.hpp"
#include "catalog/oauth.hpp"

namespace credlease::catalog {

/// The error map: the entry's rules in their order, then the common ones. A rule that one before it hides is refused.
[[nodiscard]] Errors read_errors(const EntryNode& oauth);

} // namespace credlease::catalog
