#include "vocabulary/grant.hpp"

#include <algorithm>

namespace credlease::vocabulary {

bool Reach::includes(const CredentialId& id, const ServiceId& service) const {
    return all || std::ranges::find(credentials, id) != credentials.end() ||
           std::ranges::find(services, service) != services.end();
}

} // namespace credlease::vocabulary
