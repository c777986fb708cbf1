#include "access/make_caller.hpp"

#include <algorithm>

namespace credlease::access {
namespace {

using settings::Role;
using vocabulary::Scope;
using vocabulary::UserId;
using vocabulary::WorkspaceId;

/// The scopes that the caller's user and roles reach, personal first, the organization last.
void add_scopes(Caller& caller) {
    if (caller.user) caller.scopes.push_back(Scope::of(*caller.user));
    for (const auto& [workspace, role] : caller.roles) {
        if (workspace.text() != organization_workspace) caller.scopes.push_back(Scope::of(workspace));
    }
    caller.scopes.push_back(Scope::organization());
}

/// Of a worker or a grant: to use, and no more.
void add_use_of(Caller& caller, const WorkspaceId& workspace, const std::optional<UserId>& user) {
    caller.user = user;
    caller.roles.emplace_back(workspace, Role::member);
    caller.personal_role = Role::member;
    add_scopes(caller);
}

void add_roles(Caller& caller, const UserId& user, const Directory& directory) {
    caller.user = user;
    caller.roles = directory.roles_of(user);
}

bool is_organization_admin(const Caller& caller) {
    return std::ranges::any_of(caller.roles, [](const auto& held) {
        return held.first.text() == organization_workspace && held.second == Role::admin;
    });
}

} // namespace

bool covers(const settings::EngineRule& engine, const WorkspaceId& workspace) {
    return engine.all_workspaces || std::ranges::find(engine.workspaces, workspace) != engine.workspaces.end();
}

std::string principal_of(const settings::WorkerRule& worker) { return "worker:" + worker.name.text(); }
std::string principal_of(const settings::EngineRule& engine) { return "engine:" + engine.name.text(); }

CallerRef make_worker(const settings::WorkerRule& rule) {
    Caller caller;
    caller.kind = CallerKind::worker;
    caller.principal = principal_of(rule);
    add_use_of(caller, rule.workspace, rule.user);
    caller.reach = rule.reach;
    caller.fields = rule.fields;
    caller.max_ttl = rule.max_ttl.value_or(vocabulary::Duration::zero());
    return std::make_shared<const Caller>(std::move(caller));
}

CallerRef make_grantee(const vocabulary::Grant& grant) {
    Caller caller;
    caller.kind = CallerKind::grant;
    caller.principal = "grant:" + grant.id.text();
    add_use_of(caller, grant.workspace, grant.user);
    caller.on_behalf_of = grant.on_behalf_of;
    caller.reach = grant.reach;
    caller.fields = grant.fields;
    caller.max_ttl = grant.max_ttl.value_or(vocabulary::Duration::zero());
    caller.grant = grant;
    return std::make_shared<const Caller>(std::move(caller));
}

CallerRef make_operator(std::string principal, const std::optional<UserId>& user, const Directory& directory) {
    Caller caller;
    caller.kind = CallerKind::operator_;
    caller.principal = std::move(principal);
    caller.every_scope = true;
    caller.user = user;
    caller.organization_admin = true;
    for (const auto* workspace : directory.all()) caller.roles.emplace_back(workspace->id, Role::admin);
    add_scopes(caller);
    return std::make_shared<const Caller>(std::move(caller));
}

CallerRef make_user(const UserId& user, const Directory& directory) {
    Caller caller;
    caller.kind = CallerKind::user;
    caller.principal = user.text();
    add_roles(caller, user, directory);
    caller.organization_admin = is_organization_admin(caller);
    add_scopes(caller);
    return std::make_shared<const Caller>(std::move(caller));
}

CallerRef make_engine(const settings::EngineRule& rule, const Directory& directory) {
    Caller caller;
    caller.kind = CallerKind::engine;
    caller.principal = principal_of(rule);
    for (const auto* workspace : directory.all()) {
        if (covers(rule, workspace->id)) caller.roles.emplace_back(workspace->id, Role::member);
    }
    return std::make_shared<const Caller>(std::move(caller));
}

CallerRef make_actor(const settings::EngineRule& rule, const UserId& user, const Directory& directory) {
    Caller caller;
    caller.kind = CallerKind::engine;
    caller.principal = principal_of(rule);
    caller.on_behalf_of = user.text();
    add_roles(caller, user, directory);
    std::erase_if(caller.roles, [&](const auto& held) { return !covers(rule, held.first); });
    for (auto& [workspace, role] : caller.roles) role = std::min(role, rule.max_role);
    caller.personal_role = rule.max_role;
    caller.organization_admin = is_organization_admin(caller);
    add_scopes(caller);
    return std::make_shared<const Caller>(std::move(caller));
}

} // namespace credlease::access
