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
/// POST /v1/credentials/{id}/revoke: its leases end before it is answered, and it gives none until it is restored.
/// Revoking the revoked succeeds.
[[nodiscard]] runtime::Task<result::Result<Answer>>
revoke_credential(Unsealed& house, Asker asker, std::string id, std::string if_match, wire::RevokeCredential asked);
/// POST /v1/credentials/{id}/restore: back to the status that it had. Of one that is not revoked it changes nothing.
[[nodiscard]] runtime::Task<result::Result<Answer>> restore_credential(Unsealed& house, Asker asker, std::string id,
                                                                       std::string if_match);

/// POST /v1/credentials/{id}/refresh: its tokens are refreshed now, or it joins the refresh that is under way. Of one
/// that waits for its first tokens and needs no person for them, these are asked for.
[[nodiscard]] runtime::Task<result::Result<Answer>> refresh_credential(Unsealed& house, Asker asker, std::string id);

} // namespace credlease::broker
