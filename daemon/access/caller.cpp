#include "access/caller.hpp"

#include "access/directory.hpp"

namespace credlease::access {
namespace {

using result::ErrorCode;
using result::refuse;
using settings::Role;
using vocabulary::Scope;
using vocabulary::ScopeKind;

/// interface.md "Rights": the role that each operation asks for.
constexpr Role least_role(Operation operation) {
    switch (operation) {
    case Operation::view:
    case Operation::use:
        return Role::member;
    case Operation::create:
    case Operation::edit:
    case Operation::remove:
        return Role::editor;
    case Operation::rescope:
    case Operation::audit:
        return Role::admin;
    }
    return Role::admin;
}

result::Failure role_missing(const Scope& scope, Role needed) {
    if (scope.kind == ScopeKind::organization) {
        return refuse({.code = ErrorCode::forbidden,
                       .sentence = "Organization credentials are used by everyone and changed by few.",
                       .next_step = "Ask an operator, or an admin of the workspace organization."});
    }
    if (needed == Role::admin) {
        return refuse({.code = ErrorCode::forbidden,
                       .sentence = "This needs the role admin in the credential's scope.",
                       .next_step = "Ask an admin of the workspace."});
    }
    return refuse({.code = ErrorCode::forbidden,
                   .sentence = "This needs the role editor in the credential's scope.",
                   .next_step = "Ask an admin of the workspace for the role."});
}

/// Operators see, edit and remove it, but what it opens is its user's own.
result::Result<> authorize_foreign(Operation operation) {
    if (operation != Operation::use && operation != Operation::rescope) return {};
    return refuse({.code = ErrorCode::forbidden,
                   .sentence = "This is another user's personal credential: operators neither use nor move it.",
                   .next_step = "Ask its user."});
}

/// Without an actor an engine mints grants within its workspaces, and sees no credential.
bool is_blind(const Caller& caller, Operation operation) {
    return caller.kind == CallerKind::engine && !caller.user && operation != Operation::use;
}

} // namespace

result::Failure credential_not_found() {
    return refuse({.code = ErrorCode::credential_not_found,
                   .sentence = "There is no such credential that you can reach.",
                   .next_step = "See what there is with GET /v1/credentials (credlease list)."});
}

std::optional<Role> role_in(const Caller& caller, const Scope& scope) {
    switch (scope.kind) {
    case ScopeKind::organization:
        return caller.organization_admin ? Role::admin : Role::member;
    case ScopeKind::personal:
        return caller.user == scope.user ? std::optional(caller.personal_role) : std::nullopt;
    case ScopeKind::workspace:
        break;
    }
    if (caller.every_scope) return Role::admin;
    for (const auto& [workspace, role] : caller.roles) {
        if (workspace == scope.workspace) return role;
    }
    return std::nullopt;
}

result::Result<> authorize(const Caller& caller, Operation operation, const Scope& scope,
                           const vocabulary::CredentialId& id, const vocabulary::ServiceId& service) {
    const auto role = role_in(caller, scope);
    if (!role && caller.every_scope) return authorize_foreign(operation);
    if (!role || is_blind(caller, operation) || !caller.reach.includes(id, service)) return credential_not_found();
    if (*role < least_role(operation)) return role_missing(scope, least_role(operation));
    if (operation == Operation::create && scope.workspace.text() == organization_workspace) {
        return refuse(result::invalid("scope", "The workspace organization has members alone. Its credentials have the "
                                               "scope organization."));
    }
    return {};
}

std::vector<Scope> view_scopes(const Caller& caller, const std::vector<Scope>& all) {
    return caller.every_scope ? all : caller.scopes;
}

} // namespace credlease::access
