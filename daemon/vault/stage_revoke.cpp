#include "vault/records.hpp"
#include "vault/scope_index.hpp"
#include "vault/standing.hpp"

#include <utility>

namespace credlease::vault {

using vocabulary::Credential;
using vocabulary::CredentialStatus;

Change Vault::State::stage_metadata(const Entry& entry, vocabulary::Time now, store::Batch& batch,
                                    const std::function<void(Credential&)>& alter) const {
    auto change = begin(entry);
    Credential& after = change->next->credential;
    alter(after);
    after.revision += 1;
    after.updated_at = now;
    stage_credential(*change, batch);
    return Change(std::move(change));
}

Change Vault::stage_revoke(const Entry& entry, const std::string& why, vocabulary::Time now, store::Batch& batch) {
    return state_->stage_metadata(entry, now, batch, [&](Credential& after) {
        after.status_before = std::exchange(after.status, CredentialStatus::revoked);
        after.status_reason_before = std::exchange(after.status_reason, why);
    });
}

Change Vault::stage_restore(const Entry& entry, vocabulary::Time now, store::Batch& batch) {
    return state_->stage_metadata(entry, now, batch, [](Credential& after) {
        after.status = std::exchange(after.status_before, CredentialStatus::active);
        after.status_reason = std::exchange(after.status_reason_before, {});
    });
}

Change Vault::stage_dead_grant(const Entry& entry, const std::string& why, vocabulary::Time now, store::Batch& batch) {
    return state_->stage_metadata(entry, now, batch, [&](Credential& after) {
        const Standing standing = standing_of(after);
        standing.status = CredentialStatus::expired;
        standing.reason = why;
    });
}

} // namespace credlease::vault
