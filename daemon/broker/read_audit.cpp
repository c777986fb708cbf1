#include "broker/read_audit.hpp"

#include "audit/record_json.hpp"
#include "broker/change.hpp"
#include "broker/find_credential.hpp"
#include "broker/slices.hpp"

#include <algorithm>
#include <unordered_set>

namespace credlease::broker {
namespace {

using access::Operation;
using result::ErrorCode;
using result::refuse;

constexpr std::size_t parts_at_a_time = 16; ///< of a query: some ten milliseconds, then it is others' turn
constexpr std::size_t waiting_most = 8;     ///< queries of a uid

result::Failure not_yours() {
    return refuse({.code = ErrorCode::forbidden,
                   .sentence = "The audit log is read by operators and, for their workspace, by its admins.",
                   .next_step = "Ask an operator."});
}

/// Where the caller may read of what is no more, too.
std::vector<vocabulary::Scope> audited_scopes(const access::Caller& caller) {
    auto scopes = caller.scopes;
    std::erase_if(scopes, [&](const vocabulary::Scope& scope) {
        return !authorize(caller, Operation::audit, scope, vocabulary::CredentialId(), {});
    });
    return scopes;
}

using Ids = std::unordered_set<vocabulary::CredentialId>;

/// The credentials whose records this caller may read. Made on the loop: the worker that reads the log sees no index.
runtime::Task<result::Result<std::shared_ptr<const Ids>>> audited_by(Unsealed& house, Asker& asker) {
    auto ids = std::make_shared<Ids>();
    vault::Walk walk{.scopes = asker.caller->scopes};
    const auto note = [&](const vault::Entry& entry) {
        const auto& credential = entry.credential;
        if (authorize(*asker.caller, Operation::audit, credential.scope, credential.id, credential.service)) {
            ids->insert(credential.id);
        }
    };
    while (house.vault->walk_on(walk, note)) {
        if (auto still = co_await wait_for_slice(house, asker); !still) co_return refuse(std::move(still.error()));
    }
    co_return ids;
}

/// A uid's queries come one after the other, so that they delay nobody else's.
runtime::Task<result::Result<runtime::Gate::Pass>> take_turn_at_log(Unsealed& house, Asker& asker) {
    std::vector<std::string> keys{"audit:" + std::to_string(asker.peer->uid)};
    if (house.gate.waiting(keys.front()) >= waiting_most) {
        co_return refuse({.code = ErrorCode::rate_limited,
                          .sentence = "Too many queries of the audit log by this user wait for their turn.",
                          .next_step = "Wait for the answers to those that were sent.",
                          .retry_after_seconds = 1});
    }
    co_return co_await take_turn(house, asker, std::move(keys));
}

using Show = std::function<void(const vocabulary::AuditRecord&)>;

/// Part by part, until `limit` records were shown. Returns where to go on below, 0 at the end; who asks is found anew.
runtime::Task<result::Result<std::uint64_t>> read_log(Unsealed& house, Asker& asker, audit::Journal::Query query,
                                                      Show show) {
    query.parts = parts_at_a_time;
    do {
        std::size_t shown = 0;
        const Show count = [&](const vocabulary::AuditRecord& record) {
            show(record);
            ++shown;
        };
        auto job = [&] { return house.journal->query(query, count); };
        auto next = co_await house.parts.bulk.run(std::move(job));
        if (!next) co_return refuse(std::move(next.error()));
        if (auto still = look_again(house, asker); !still) co_return refuse(std::move(still.error()));
        query.before = *next;
        query.limit -= shown;
    } while (query.before != 0 && query.limit != 0);
    co_return query.before;
}

/// What has happened until now is seen, refusals that are still being counted too.
runtime::Task<result::Result<AuditPage>> read_page(Unsealed& house, Asker& asker, audit::Journal::Query query) {
    house.refusals->flush();
    co_await house.journal->catch_up();
    AuditPage page;
    wire::JsonWriter writer(page.items);
    writer.array();
    Show show = [&](const vocabulary::AuditRecord& record) { audit::write_json(writer, record); };
    auto next = co_await read_log(house, asker, std::move(query), std::move(show));
    if (!next) co_return refuse(std::move(next.error()));
    writer.close();
    page.before = *next;
    co_return page;
}

/// The scope in which a deleted credential lay, where the caller may read of it: its last record says so. For all but
/// operators the look is the same whatever id is asked for: by the id's own index it would tell a foreign one, live or
/// deleted, from one that never was.
runtime::Task<result::Result<std::optional<vocabulary::Scope>>> find_deleted(Unsealed& house, Asker& asker,
                                                                             vocabulary::CredentialId id) {
    audit::Journal::Query query;
    query.action = vocabulary::name_of(vocabulary::Action::credential_deleted);
    query.limit = 1;
    if (asker.caller->is_operator()) {
        query.credential = id;
    } else {
        std::unordered_set<std::string> scopes;
        for (const auto& scope : audited_scopes(*asker.caller)) scopes.insert(scope.text());
        if (scopes.empty()) co_return std::optional<vocabulary::Scope>();
        query.keep = [id, scopes = std::move(scopes)](const vocabulary::AuditRecord& record) {
            return scopes.contains(std::string(record.detail)) && record.credential == id;
        };
    }
    co_await house.journal->catch_up();
    std::optional<vocabulary::Scope> found;
    Show show = [&](const vocabulary::AuditRecord& record) { found = vocabulary::Scope::find(record.detail); };
    auto read = co_await read_log(house, asker, std::move(query), std::move(show));
    if (!read) co_return refuse(std::move(read.error()));
    co_return found;
}

/// What the caller may read the records of: by id, or by a name that it sees.
struct Audited {
    vocabulary::CredentialId id;
    vocabulary::Scope scope;
    vocabulary::ServiceId service; ///< of one that is no more, it is not known
};

result::Result<> may_audit(const Asker& asker, const Audited& audited) {
    return authorize(*asker.caller, Operation::audit, audited.scope, audited.id, audited.service);
}

runtime::Task<result::Result<Audited>> find_audited(Unsealed& house, Asker& asker, const std::string& text) {
    auto found = find_viewed(house, *asker.caller, Operation::view, text);
    if (found) {
        const auto& credential = (*found)->credential;
        co_return Audited{.id = credential.id, .scope = credential.scope, .service = credential.service};
    }
    const auto id = vocabulary::CredentialId::find(text);
    if (!id || found.error().code != ErrorCode::credential_not_found) co_return refuse(std::move(found.error()));
    auto deleted = co_await find_deleted(house, asker, *id);
    if (!deleted) co_return refuse(std::move(deleted.error()));
    if (!*deleted) co_return refuse(std::move(found.error()));
    co_return Audited{.id = *id, .scope = std::move(**deleted), .service = {}};
}

} // namespace

runtime::Task<result::Result<AuditPage>> read_audit(Unsealed& house, Asker asker, audit::Journal::Query query) {
    if (!asker.caller->is_operator() && audited_scopes(*asker.caller).empty()) co_return not_yours();
    auto pass = co_await take_turn_at_log(house, asker);
    if (!pass) co_return refuse(std::move(pass.error()));
    const auto scopes = audited_scopes(*asker.caller);
    if (!asker.caller->is_operator()) {
        auto ids = co_await audited_by(house, asker);
        if (!ids) co_return refuse(std::move(ids.error()));
        if ((*ids)->empty()) co_return not_yours();
        query.keep = [audited = *ids](const vocabulary::AuditRecord& record) {
            return audited->contains(record.credential);
        };
    }
    auto page = co_await read_page(house, asker, std::move(query));
    if (!asker.caller->is_operator() && audited_scopes(*asker.caller) != scopes) co_return not_yours();
    co_return page;
}

runtime::Task<result::Result<AuditPage>> read_credential_audit(Unsealed& house, Asker asker, std::string text,
                                                               audit::Journal::Query query) {
    auto pass = co_await take_turn_at_log(house, asker);
    if (!pass) co_return refuse(std::move(pass.error()));
    const auto audited = co_await find_audited(house, asker, text);
    if (!audited) co_return refuse(audited.error());
    if (auto may = may_audit(asker, *audited); !may) co_return refuse(std::move(may.error()));
    query.credential = audited->id;
    auto page = co_await read_page(house, asker, std::move(query));
    if (auto may = may_audit(asker, *audited); !may) co_return refuse(std::move(may.error()));
    co_return page;
}

runtime::Task<result::Result<bool>> is_in_log(Unsealed& house, Asker& asker, audit::Journal::Query query) {
    auto pass = co_await take_turn_at_log(house, asker);
    if (!pass) co_return refuse(std::move(pass.error()));
    co_await house.journal->catch_up();
    bool found = false;
    query.limit = 1;
    Show show = [&found](const vocabulary::AuditRecord&) { found = true; };
    auto read = co_await read_log(house, asker, std::move(query), std::move(show));
    if (!read) co_return refuse(std::move(read.error()));
    co_return found;
}

runtime::Task<result::Result<audit::Journal::Verdict>> verify_audit(Unsealed& house, Asker asker,
                                                                    std::optional<audit::Journal::Anchor> anchor) {
    if (!asker.caller->is_operator()) co_return not_yours();
    auto pass = co_await take_turn_at_log(house, asker);
    if (!pass) co_return refuse(std::move(pass.error()));
    if (!asker.caller->is_operator()) co_return not_yours();
    auto job = [&house, anchor] { return house.journal->verify(anchor); };
    co_return co_await house.parts.bulk.run(std::move(job));
}

} // namespace credlease::broker
