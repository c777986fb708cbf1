#include "broker/workspaces.hpp"

#include "broker/expiry.hpp"
#include "broker/grants.hpp"
#include "broker/views.hpp"

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::refuse;
using Change = access::Directory::Change;

/// Without an actor an engine mints grants in its workspaces; who their members are is not its business.
bool sees(const access::Caller& caller, const access::Workspace& workspace) {
    if (caller.kind == access::CallerKind::engine && !caller.user) return false;
    return caller.every_scope || role_in(caller, vocabulary::Scope::of(workspace.id)).has_value();
}

result::Result<> may_change(const access::Caller& caller, const Change& change) {
    if (caller.is_operator()) return {};
    const bool members_only = change.kind == Change::Kind::put_member || change.kind == Change::Kind::erase_member;
    const auto role = role_in(caller, vocabulary::Scope::of(change.workspace));
    if (members_only && role == settings::Role::admin) return {};
    return refuse({.code = ErrorCode::forbidden,
                   .sentence = "Operators change workspaces; an admin of one changes its members.",
                   .next_step = "Ask an operator or an admin of the workspace."});
}

std::string described(const Change& change) {
    const auto& id = change.workspace.text();
    const auto user = change.user ? change.user->text() : std::string();
    switch (change.kind) {
    case Change::Kind::put_workspace:
        return "workspace " + id + " made";
    case Change::Kind::erase_workspace:
        return "workspace " + id + " removed";
    case Change::Kind::put_member:
        return user + " is " + std::string(settings::name_of(change.role)) + " of " + id;
    case Change::Kind::erase_member:
        return user + " is no member of " + id;
    }
    return {};
}

bool has_credentials(const Unsealed& house, const vocabulary::WorkspaceId& id) {
    vault::Walk walk{.scopes = {vocabulary::Scope::of(id)}};
    bool any = false;
    std::ignore = house.vault->walk_on(walk, [&any](const vault::Entry&) { any = true; });
    return any;
}

/// A member was removed: what was taken by it, or on its behalf, in this workspace ends, grants too.
void end_member(Unsealed& house, const Change& change) {
    const auto user = change.user->text();
    const auto scope = vocabulary::Scope::of(change.workspace).text();
    for (const auto& which : {leases::Which{.on_behalf_of = user}, leases::Which{.principal = user}}) {
        for (const auto& id : house.book.matching(which)) {
            const auto lease = house.book.find(id);
            if (lease && lease->scope == scope) end_lease(house, id, vocabulary::EndReason::scope_changed);
        }
    }
    house.journal->flush();
    for (const auto* grant : house.grants->minted_by({})) {
        const bool by_member = grant->minted_by == user || grant->on_behalf_of == user;
        if (by_member && grant->workspace == change.workspace) {
            house.tasks.start(end_grant(house, grant->id, vocabulary::Action::grant_ended));
        }
    }
}

/// A workspace has gone: another one of its id must not revive what was taken in it.
void end_workspace(Unsealed& house, const vocabulary::WorkspaceId& workspace) {
    const auto scope = vocabulary::Scope::of(workspace).text();
    for (const auto& id : house.book.matching({})) {
        const auto lease = house.book.find(id);
        if (lease && lease->scope == scope) end_lease(house, id, vocabulary::EndReason::scope_changed);
    }
    house.journal->flush();
    for (const auto* grant : house.grants->minted_by({})) {
        if (grant->workspace == workspace) {
            house.tasks.start(end_grant(house, grant->id, vocabulary::Action::grant_ended));
        }
    }
}

Answer answer_of(const Unsealed& house, const Change& change, bool is_new = false) {
    const auto* workspace = house.directory.find(change.workspace.text());
    if (workspace == nullptr || change.kind == Change::Kind::erase_workspace ||
        change.kind == Change::Kind::erase_member) {
        return {.status = 204};
    }
    Answer answer{.status = 200};
    if (is_new) {
        answer.status = 201;
        answer.location = "/v1/workspaces/" + std::string(workspace->id.text());
    }
    wire::JsonWriter writer(answer.body);
    write_workspace(writer, *workspace);
    return answer;
}

} // namespace

result::Result<const access::Workspace*> find_workspace(const Unsealed& house, const Asker& asker,
                                                        std::string_view id) {
    const auto* workspace = house.directory.find(id);
    if (workspace != nullptr && sees(*asker.caller, *workspace)) return workspace;
    return refuse({.code = ErrorCode::workspace_not_found,
                   .sentence = "There is no such workspace that you can reach.",
                   .next_step = "See what there is with GET /v1/workspaces (credlease workspaces)."});
}

std::vector<const access::Workspace*> list_workspaces(const Unsealed& house, const Asker& asker) {
    auto all = house.directory.all();
    std::erase_if(all, [&](const access::Workspace* workspace) { return !sees(*asker.caller, *workspace); });
    return all;
}

runtime::Task<result::Result<Answer>> change_directory(Unsealed& house, Asker asker, Change change) {
    if (auto allowed = may_change(*asker.caller, change); !allowed) co_return refuse(std::move(allowed.error()));
    std::vector<std::string> keys{"directory", gate_key(vocabulary::Scope::of(change.workspace))};
    auto pass = co_await take_turn(house, asker, std::move(keys));
    if (!pass) co_return refuse(std::move(pass.error()));
    if (auto allowed = may_change(*asker.caller, change); !allowed) co_return refuse(std::move(allowed.error()));
    if (change.kind == Change::Kind::erase_workspace && has_credentials(house, change.workspace)) {
        co_return refuse({.code = ErrorCode::credential_in_use,
                          .sentence = "The workspace still has credentials.",
                          .next_step = "Move or delete them first."});
    }
    store::Batch batch;
    if (auto staged = house.directory.stage(change, batch); !staged) co_return refuse(std::move(staged.error()));
    if (batch.empty()) co_return answer_of(house, change); // it is so already
    auto record = record_of(asker, vocabulary::Action::directory_changed);
    const auto detail = described(change);
    record.detail = detail;
    auto committed = co_await house.journal->commit(record, std::move(batch));
    if (!committed) co_return refuse(std::move(committed.error()));
    house.directory.apply(change);
    if (change.kind == Change::Kind::erase_member) end_member(house, change);
    if (change.kind == Change::Kind::erase_workspace) end_workspace(house, change.workspace);
    co_return answer_of(house, change, change.kind == Change::Kind::put_workspace);
}

} // namespace credlease::broker
