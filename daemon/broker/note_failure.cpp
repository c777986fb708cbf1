#include "broker/note_failure.hpp"

#include "broker/asker.hpp"
#include "broker/clock_warnings.hpp"
#include "broker/events.hpp"
#include "broker/status_change.hpp"

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::refuse;
using vocabulary::CredentialStatus;

/// Nothing else tells of it, and it does not pass in a moment. What is in doubt has said so.
bool is_to_be_told(const Unsealed& house, const vault::Entry& entry, ErrorCode code) {
    const bool is_in_doubt = house.vault->find_intent(entry.credential.id) != nullptr;
    return code == ErrorCode::invalid_request || code == ErrorCode::forbidden || code == ErrorCode::damaged ||
           code == ErrorCode::service_not_found || (code == ErrorCode::upstream_failed && !is_in_doubt);
}

bool lives(const vault::Entry& entry) {
    const auto status = entry.credential.status;
    if (!entry.tokens) return status == CredentialStatus::pending;
    return status == CredentialStatus::active || status == CredentialStatus::failing;
}

} // namespace

runtime::Task<result::Result<>> note_failure(Unsealed& house, const Refreshed& what, const vault::Entry& entry,
                                             TokenFailure failure) {
    store::Batch batch;
    auto staged = house.vault->stage_state(entry, failure.of, std::move(failure.change), batch);
    if (!staged) co_return refuse(std::move(staged.error()));
    const StatusChange status(entry.credential, staged->after(), house.wall());
    const bool has_another_reason = entry.credential.status_reason != staged->after().status_reason;
    vocabulary::AuditRecord record;
    record.action = failure.action;
    record.ok = false;
    record.code = result::name_of(failure.code);
    record.principal = vocabulary::by_itself;
    record.detail = failure.detail;
    record.changes = status.views();
    concern(record, entry.credential);
    auto committed = co_await house.journal->commit(record, std::move(batch), failure.sync);
    if (!committed) co_return refuse(std::move(committed.error()));
    house.vault->apply(std::move(*staged));
    const auto& credential = find_refreshed(house, what)->credential;
    if (status.is_one()) {
        house.events->credential_status_changed(credential);
        house.clock_warnings->look_soon();
    }
    if (has_another_reason) house.parts.tell_failing(credential);
    co_return result::Result<>();
}

runtime::Task<> note_unasked(Unsealed& house, const Refreshed& what, const result::Error& why) {
    const auto* entry = find_refreshed(house, what);
    if (entry == nullptr || !lives(*entry) || was_tried_in_vain(*entry) || !is_to_be_told(house, *entry, why.code))
        co_return;
    TokenFailure failure{.of = vault::generation_of(entry->credential), .code = why.code};
    failure.detail = why.sentence.view();
    failure.change.status = CredentialStatus::failing;
    failure.change.status_reason =
        (entry->tokens ? "no refresh can be asked for: " : "no token can be asked for: ") + failure.detail;
    failure.change.failures = entry->tokens ? entry->tokens->state.failures + 1 : 0;
    failure.change.last_failure = result::name_of(why.code);
    if (entry->credential.status_reason == failure.change.status_reason) co_return;
    // Where it fails its tokens are damaged, which is told of elsewhere, or there is no room for them now.
    [[maybe_unused]] const auto noted = co_await note_failure(house, what, *entry, std::move(failure));
}

} // namespace credlease::broker
