#include "broker/events.hpp"
#include "broker/expiry.hpp"
#include "broker/grants.hpp"
#include "broker/read_audit.hpp"

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::refuse;

constexpr std::string_view by_whom = "minted by ";
constexpr std::string_view for_whom = " for ";
constexpr std::chrono::seconds tries_apart{1}; ///< of a withdrawal that the store does not take

std::vector<std::string> grant_gate(const vocabulary::GrantId& id) { return {"grant:" + id.text()}; }

/// Its minting is in the log; when that was, its id says.
audit::Journal::Query minting_of(const vocabulary::GrantId& id, access::CallerRef caller) {
    constexpr std::chrono::minutes around{1};
    const vocabulary::Time minted_at{vocabulary::Duration(id.value().milliseconds())};
    audit::Journal::Query query;
    query.action = name_of(vocabulary::Action::grant_minted);
    query.since = minted_at - around;
    query.until = minted_at + around;
    query.keep = [id, caller = std::move(caller)](const vocabulary::AuditRecord& record) {
        return record.ok && record.grant == id && is_theirs(*caller, record.principal, record.on_behalf_of);
    };
    return query;
}

/// A grant that is not there: it was theirs and has ended, or it never was.
runtime::Task<result::Result<Answer>> answer_for_gone(Unsealed& house, Asker asker, std::string text,
                                                      result::Error not_found) {
    const auto id = vocabulary::GrantId::find(text);
    if (!id) co_return refuse(std::move(not_found));
    auto was_there = co_await is_in_log(house, asker, minting_of(*id, asker.caller));
    if (!was_there) co_return refuse(std::move(was_there.error()));
    if (!*was_there) co_return refuse(std::move(not_found));
    co_return Answer{.status = 204};
}

} // namespace

bool is_theirs(const access::Caller& caller, std::string_view minted_by, std::string_view on_behalf_of) {
    if (caller.is_operator()) return true;
    if (minted_by != caller.principal) return false;
    const bool is_engine_itself = caller.kind == access::CallerKind::engine && caller.on_behalf_of.empty();
    return is_engine_itself || on_behalf_of == caller.on_behalf_of;
}

std::string text_of(const Minter& minter) {
    std::string text(by_whom);
    text += minter.principal;
    if (!minter.on_behalf_of.empty()) text.append(for_whom).append(minter.on_behalf_of);
    return text;
}

std::optional<Minter> find_minter(std::string_view detail) {
    if (!detail.starts_with(by_whom)) return std::nullopt;
    detail.remove_prefix(by_whom.size());
    const auto end = detail.find(for_whom);
    if (end == std::string_view::npos) return Minter{.principal = detail};
    return Minter{.principal = detail.substr(0, end), .on_behalf_of = detail.substr(end + for_whom.size())};
}

result::Result<const vocabulary::Grant*> find_grant(const Unsealed& house, const Asker& asker, std::string_view text) {
    const auto id = vocabulary::GrantId::find(text);
    const auto* grant = id ? house.grants->find(*id) : nullptr;
    if (grant != nullptr && is_theirs(*asker.caller, grant->minted_by, grant->on_behalf_of)) return grant;
    return refuse({.code = ErrorCode::grant_not_found,
                   .sentence = "There is no such grant of yours; it may have ended.",
                   .next_step = "See what there is with GET /v1/grants (credlease grants)."});
}

runtime::Task<result::Result<Answer>> withdraw_grant(Unsealed& house, Asker asker, std::string id) {
    auto found = find_grant(house, asker, id);
    if (!found) co_return co_await answer_for_gone(house, asker, std::move(id), std::move(found.error()));
    const auto grant_id = (*found)->id;
    auto pass = co_await house.gate.enter(grant_gate(grant_id));
    const auto* grant = house.grants->find(grant_id);
    if (grant == nullptr) co_return Answer{.status = 204}; // it ended while we waited: that is what was wanted
    store::Batch batch;
    house.grants->stage_withdraw(*grant, batch);
    auto record = record_of(asker, vocabulary::Action::grant_withdrawn);
    record.grant = grant_id;
    const auto ended = *grant;
    const auto minter = text_of({.principal = ended.minted_by, .on_behalf_of = ended.on_behalf_of});
    record.detail = minter;
    record.workflow = ended.workflow;
    record.run = ended.run;
    auto committed = co_await house.journal->commit(record, std::move(batch));
    if (!committed) co_return refuse(std::move(committed.error()));
    house.grants->apply_withdraw(grant_id);
    end_leases(house, {.grant = grant_id}, vocabulary::EndReason::grant_ended);
    house.events->grant_ended(ended);
    co_return Answer{.status = 204};
}

runtime::Task<> end_grant(Unsealed& house, vocabulary::GrantId id, vocabulary::Action why) {
    if (!house.grants->begin_end(id, house.time.now())) co_return;
    end_leases(house, {.grant = id}, vocabulary::EndReason::grant_ended);
    auto pass = co_await house.gate.enter(grant_gate(id));
    const auto* grant = house.grants->find(id);
    if (grant == nullptr) co_return;
    store::Batch batch;
    house.grants->stage_withdraw(*grant, batch);
    const auto ended = *grant;
    vocabulary::AuditRecord record;
    record.action = why;
    record.principal = ended.minted_by;
    record.on_behalf_of = ended.on_behalf_of;
    record.grant = id;
    record.workflow = ended.workflow;
    record.run = ended.run;
    auto committed = co_await house.journal->commit(record, std::move(batch));
    if (committed) {
        house.grants->apply_withdraw(id);
        house.events->grant_ended(ended);
        co_return;
    }
    // A restart would bring it back: it is tried until the store takes it.
    const auto again = house.time.now() + tries_apart;
    house.grants->end_again_at(id, again);
    expire_by(house, again);
}

} // namespace credlease::broker
