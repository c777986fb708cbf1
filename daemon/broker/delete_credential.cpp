#include "broker/clock_warnings.hpp"
#include "broker/credentials.hpp"
#include "broker/events.hpp"
#include "broker/expiry.hpp"
#include "broker/find_credential.hpp"

#include <chrono>
#include <set>

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::refuse;

constexpr auto remembered_use = std::chrono::hours(24 * 30);
constexpr std::size_t uses_shown = 20;

/// Workflows that leased the credential in the last 30 days, attested by their grants: from the log. A claimed sighting
/// never blocks a delete.
runtime::Task<result::Result<std::set<std::string>>> attested_uses(Unsealed& house, vocabulary::CredentialId id) {
    audit::Journal::Query query;
    query.credential = id;
    query.since = house.wall() - remembered_use;
    query.action = vocabulary::name_of(vocabulary::Action::lease_issued);
    query.limit = uses_shown;
    query.keep = [](const vocabulary::AuditRecord& record) { return !record.claimed && !record.workflow.empty(); };
    auto job = [&house, query = std::move(query)]() -> result::Result<std::set<std::string>> {
        std::set<std::string> workflows;
        auto read = house.journal->query(
            query, [&](const vocabulary::AuditRecord& record) { workflows.emplace(record.workflow); });
        if (!read) return refuse(std::move(read.error()));
        return workflows;
    };
    co_return co_await house.parts.bulk.run(std::move(job));
}

} // namespace

runtime::Task<result::Result<Answer>> delete_credential(Unsealed& house, Asker asker, std::string id,
                                                        std::string if_match, bool force) {
    auto found = find_viewed(house, *asker.caller, access::Operation::remove, id);
    if (!found) co_return refuse(std::move(found.error()));
    std::vector<std::string> keys{gate_key((*found)->credential.id), gate_key((*found)->credential.scope)};
    auto pass = co_await take_turn(house, asker, std::move(keys));
    if (!pass) co_return refuse(std::move(pass.error()));

    found = find_viewed(house, *asker.caller, access::Operation::remove, id);
    if (!found) co_return refuse(std::move(found.error()));
    const auto& entry = **found;
    const auto& credential = entry.credential;
    if (if_match.empty() && asker.caller->kind == access::CallerKind::engine) {
        co_return refuse({.code = ErrorCode::precondition_required,
                          .sentence = "An engine says which revision it deletes.",
                          .next_step = "Send If-Match with the ETag that GET gave."});
    }
    if (auto match = check_match(if_match, credential.revision); !match) co_return refuse(std::move(match.error()));
    auto uses = co_await attested_uses(house, credential.id);
    if (!uses) co_return refuse(std::move(uses.error()));
    if (auto still = look_again(house, asker); !still) co_return refuse(std::move(still.error()));
    if (!find_viewed(house, *asker.caller, access::Operation::remove, id)) co_return access::credential_not_found();
    if (!uses->empty() && !force) {
        result::Error error{.code = ErrorCode::credential_in_use,
                            .sentence = "Workflows use this credential.",
                            .next_step =
                                "Change them first, or delete it all the same: DELETE /v1/credentials/ID?force=true "
                                "(credlease delete ID --force)."};
        for (const auto& workflow : *uses) error.candidates.push_back(result::PublicText::of(workflow));
        co_return refuse(std::move(error));
    }

    store::Batch batch;
    auto change = house.vault->stage_erase(entry, batch);
    auto record = record_of(asker, vocabulary::Action::credential_deleted);
    concern(record, credential);
    const auto detail = credential.scope.text();
    record.detail = detail;
    auto committed = co_await house.journal->commit(record, std::move(batch));
    if (!committed) co_return refuse(std::move(committed.error()));
    const auto deleted = change.after();
    house.vault->apply(std::move(change));
    house.events->credential_deleted(deleted);
    house.clock_warnings->look_soon(); // its clocks run no more
    end_leases(house, {.credential = deleted.id}, vocabulary::EndReason::credential_deleted);
    co_return Answer{.status = 204};
}

} // namespace credlease::broker
