#pragma once

#include "catalog/oauth_fields.hpp"

namespace credlease::catalog {

/// Where secrets go to.
struct Endpoint {
    Template url;
    bool has_chosen_host = false; ///< a field decides its whole host
};
/// An https URL without query; nullopt where the member is absent. It may begin with a field of format url, hold fields
/// of format host, and urlencoded ones behind its host. A field in its host is a destination.
[[nodiscard]] std::optional<Endpoint> read_endpoint(const EntryNode& node, std::string_view member,
                                                    const OAuthFields& fields);

} // namespace credlease::catalog
