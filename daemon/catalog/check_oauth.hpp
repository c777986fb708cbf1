#pragma once

#include "catalog/oauth_fields.hpp"

namespace credlease::catalog {

/// What the parts of an `oauth` ask of each other: each flow has what it needs, and nothing is there that no flow or
/// refresh class uses.
void check_oauth(const EntryNode& node, const OAuthFields& fields, const OAuth& oauth);

} // namespace credlease::catalog
