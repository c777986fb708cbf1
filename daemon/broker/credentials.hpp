#pragma once

#include "broker/change.hpp"

namespace credlease::broker {

/// POST /v1/credentials
[[nodiscard]] runtime::Task<result::Result<Answer>> create_credential(Unsealed& house, Asker asker,
                                                                      wire::CreateCredential asked);
/// PATCH /v1/credentials/{id}
[[nodiscard]] runtime::Task<result::Result<Answer>> edit_credential(Unsealed& house, Asker asker, std::string id,
                                                                    std::string if_match, wire::EditCredential asked);
/// DELETE /v1/credentials/{id}: for good. Its leases end at once.
[[nodiscard]] runtime::Task<result::Result<Answer>> delete_credential(Unsealed& house, Asker asker, std::string id,
                                                                      std::string if_match, bool force);

} // namespace credlease::broker
