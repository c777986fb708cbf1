#pragma once

#include "broker/asker.hpp"
#include "broker/unsealed.hpp"

#include <string>

namespace credlease::broker {

/// Part of the log, newest first, as a JSON array; `before` is where the next page goes on (0: nothing is left).
struct AuditPage {
    std::string items;
    std::uint64_t before = 0;
};

// One query of a uid at a time, and it is made in parts: beside it the log serves others. `rate_limited`: too many
// wait.

/// GET /v1/audit: an operator reads all; an admin what concerns the credentials of its workspaces.
[[nodiscard]] runtime::Task<result::Result<AuditPage>> read_audit(Unsealed& house, Asker asker,
                                                                  audit::Journal::Query query);
/// GET /v1/credentials/{id}/audit: for those that may audit it; deleted ones too.
[[nodiscard]] runtime::Task<result::Result<AuditPage>>
read_credential_audit(Unsealed& house, Asker asker, std::string id, audit::Journal::Query query);
/// Whether a record of the log fits: for what a use case needs to know of the past.
[[nodiscard]] runtime::Task<result::Result<bool>> is_in_log(Unsealed& house, Asker& asker, audit::Journal::Query query);
/// GET /v1/audit/verify: operators.
[[nodiscard]] runtime::Task<result::Result<audit::Journal::Verdict>>
verify_audit(Unsealed& house, Asker asker, std::optional<audit::Journal::Anchor> anchor);

} // namespace credlease::broker
