#include "broker/unasked_refresh.hpp"

#include "broker/asker.hpp"
#include "broker/events.hpp"
#include "broker/status_change.hpp"

namespace credlease::broker {
namespace {

using result::ErrorCode;
using vocabulary::CredentialStatus;

/// It does not pass by itself.
bool lasts(ErrorCode code) {
    return code == ErrorCode::invalid_request || code == ErrorCode::forbidden || code == ErrorCode::damaged ||
           code == ErrorCode::service_not_found;
}

bool lives(const vault::Entry& entry) {
    const auto status = entry.credential.status;
    return entry.tokens && (status == CredentialStatus::active || status == CredentialStatus::failing);
}

} // namespace

runtime::Task<> note_unasked(Unsealed& house, const Refreshed& what, const result::Error& why) {
    const auto* entry = find_refreshed(house, what);
    if (!lasts(why.code) || entry == nullptr || !lives(*entry)) co_return;
    vault::StateChange change;
    change.status = CredentialStatus::failing;
    change.status_reason = "no refresh can be asked for: " + std::string(why.sentence.view());
    change.failures = entry->tokens->state.failures + 1;
    change.last_failure = result::name_of(why.code);
    if (entry->credential.status_reason == change.status_reason) co_return;
    store::Batch batch;
    auto staged = house.vault->stage_state(*entry, vault::generation_of(entry->credential), std::move(change), batch);
    if (!staged) co_return; // its tokens are damaged, which is told of elsewhere, or there is no room for them now
    const StatusChange status(entry->credential, staged->after(), house.wall());
    vocabulary::AuditRecord record;
    record.action = vocabulary::Action::oauth_refresh_failed;
    record.ok = false;
    record.code = result::name_of(why.code);
    record.principal = "broker";
    record.detail = why.sentence.view();
    record.changes = status.views();
    concern(record, entry->credential);
    auto committed = co_await house.journal->commit(record, std::move(batch));
    if (!committed) co_return;
    house.vault->apply(std::move(*staged));
    if (status.is_one()) house.events->credential_status_changed(find_refreshed(house, what)->credential);
}

} // namespace credlease::broker
