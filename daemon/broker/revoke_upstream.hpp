#pragma once

#include "broker/unsealed.hpp"

#include <string>
#include <vector>

namespace credlease::broker {

/// What a provider said of one token.
struct RevokedToken {
    std::string slot;
    bool is_refresh_token = false;
    std::string failure{}; ///< empty: the token is dead there
};

/// Whether the provider can be asked to revoke (RFC 7009): `invalid_request` where there is nothing to ask or nobody.
[[nodiscard]] result::Result<> check_upstream(const Unsealed& house, const vault::Entry& entry);
/// Asks it for each token of the credential, one after the other. Nothing of ours changes.
[[nodiscard]] runtime::Task<result::Result<std::vector<RevokedToken>>> revoke_upstream(Unsealed& house,
                                                                                       const vault::Entry& entry);

} // namespace credlease::broker
