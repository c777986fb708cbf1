#include "broker/read_audit.hpp"

#include "audit/record_json.hpp"
#include "broker/find_credential.hpp"

#include <unordered_set>

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::refuse;

/// What has happened until now is seen, refusals that are still being counted too.
runtime::Task<result::Result<AuditPage>> run_query(Unsealed& house, audit::Journal::Query query) {
    house.refusals->flush();
    co_await house.journal->catch_up();
    auto job = [&house, query = std::move(query)]() -> result::Result<AuditPage> {
        AuditPage page;
        wire::JsonWriter writer(page.items);
        writer.array();
        auto next = house.journal->query(
            query, [&](const vocabulary::AuditRecord& record) { audit::write_json(writer, record); });
        if (!next) return refuse(std::move(next.error()));
        writer.close();
        page.before = *next;
        return page;
    };
    co_return co_await house.parts.bulk.run(std::move(job));
}

result::Failure not_yours() {
    return refuse({.code = ErrorCode::forbidden,
                   .sentence = "The audit log is read by operators and, for their workspace, by its admins.",
                   .next_step = "Ask an operator."});
}

bool is_operator(const Asker& asker) { return asker.caller->kind == access::CallerKind::operator_; }

/// The credentials whose records this caller may read. Made on the loop: the worker that reads the log sees no index.
std::shared_ptr<std::unordered_set<vocabulary::CredentialId>> audited_by(const Unsealed& house,
                                                                         const access::Caller& caller) {
    auto ids = std::make_shared<std::unordered_set<vocabulary::CredentialId>>();
    const auto scopes = view_scopes(caller, caller.scopes);
    for (const auto* entry : house.vault->list(scopes, {}, vault::Sort::name, std::nullopt, house.vault->size())) {
        const auto& credential = entry->credential;
        if (authorize(caller, access::Operation::audit, credential.scope, credential.id, credential.service)) {
            ids->insert(credential.id);
        }
    }
    return ids;
}

/// Where a deleted credential lay: its last record says so.
runtime::Task<std::optional<vocabulary::Scope>> scope_of_deleted(Unsealed& house, vocabulary::CredentialId id) {
    audit::Journal::Query query;
    query.credential = id;
    query.action = vocabulary::name_of(vocabulary::Action::credential_deleted);
    query.limit = 1;
    auto job = [&house, query = std::move(query)] {
        std::optional<vocabulary::Scope> scope;
        auto read = house.journal->query(
            query, [&](const vocabulary::AuditRecord& record) { scope = vocabulary::Scope::find(record.detail); });
        return read ? scope : std::nullopt;
    };
    co_return co_await house.parts.bulk.run(std::move(job));
}

} // namespace

runtime::Task<result::Result<AuditPage>> read_audit(Unsealed& house, Asker asker, audit::Journal::Query query) {
    if (!is_operator(asker)) {
        const auto ids = audited_by(house, *asker.caller);
        if (ids->empty()) co_return not_yours();
        query.keep = [ids](const vocabulary::AuditRecord& record) { return ids->contains(record.credential); };
    }
    co_return co_await run_query(house, std::move(query));
}

runtime::Task<result::Result<AuditPage>> read_credential_audit(Unsealed& house, Asker asker, std::string text,
                                                               audit::Journal::Query query) {
    auto found = find_viewed(house, *asker.caller, access::Operation::view, text);
    if (found) {
        const auto& credential = (*found)->credential;
        auto allowed =
            authorize(*asker.caller, access::Operation::audit, credential.scope, credential.id, credential.service);
        if (!allowed) co_return refuse(std::move(allowed.error()));
        query.credential = credential.id;
        co_return co_await run_query(house, std::move(query));
    }
    const auto id = vocabulary::CredentialId::find(text);
    if (!id) co_return refuse(std::move(found.error()));
    const auto scope = co_await scope_of_deleted(house, *id);
    if (!scope || !authorize(*asker.caller, access::Operation::audit, *scope, *id, {})) {
        co_return refuse(std::move(found.error()));
    }
    query.credential = *id;
    co_return co_await run_query(house, std::move(query));
}

runtime::Task<result::Result<audit::Journal::Verdict>> verify_audit(Unsealed& house, Asker asker,
                                                                    std::optional<std::string> anchor) {
    if (!is_operator(asker)) co_return not_yours();
    auto job = [&house, anchor = std::move(anchor)] { return house.journal->verify(anchor); };
    co_return co_await house.parts.bulk.run(std::move(job));
}

} // namespace credlease::broker
