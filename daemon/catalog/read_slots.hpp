#pragma once

#include "catalog/oauth_fields.hpp"

namespace credlease::catalog {

/// A JSON pointer (RFC 6901) other than the whole; "" when absent.
[[nodiscard]] Pointer read_pointer(const EntryNode& node, std::string_view member);

/// The members `slots` and `answer_fields`: who fills each field that no person gives.
void read_slots(const EntryNode& node, const OAuthFields& fields, OAuth& oauth);

} // namespace credlease::catalog
