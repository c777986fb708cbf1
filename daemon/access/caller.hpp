#pragma once

#include "result/result.hpp"
#include "settings/settings.hpp"
#include "vocabulary/grant.hpp"
#include "vocabulary/scope.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace credlease::access {

enum class CallerKind : std::uint8_t { worker, grant, engine, user, operator_ };

/// An authenticated caller and what it reaches. Immutable and shared: made once a rule, grant or actor, not once a
/// request.
struct Caller {
    CallerKind kind = CallerKind::worker;
    std::string principal;    ///< "worker:etl", "grant:grant_01j…", "engine:flows", "operator:root", "user:local/alice"
    std::string on_behalf_of; ///< "user:flows/alice"; empty: none
    std::vector<vocabulary::Scope> scopes;  ///< what it may use, personal first; of an operator: what it may lease from
    bool every_scope = false;               ///< an operator views all
    std::optional<vocabulary::UserId> user; ///< whose personal scope it has
    std::vector<std::pair<vocabulary::WorkspaceId, settings::Role>> roles; ///< an engine acting for a user, or a user
    settings::Role personal_role = settings::Role::admin;                  ///< in its user's personal scope
    bool organization_admin = false; ///< member of the reserved workspace `organization` with role admin
    vocabulary::Reach reach;
    std::vector<std::string> fields;        ///< empty: all
    vocabulary::Duration max_ttl{};         ///< zero: the broker's own
    std::optional<vocabulary::Grant> grant; ///< as it was first used: how many leases it gave, Grants knows

    [[nodiscard]] bool may_act() const { return kind != CallerKind::worker && kind != CallerKind::grant; }
    [[nodiscard]] bool is_operator() const { return kind == CallerKind::operator_; }
};
using CallerRef = std::shared_ptr<const Caller>;

/// What is done to a credential. `use`: lease, test, copy, export; `edit`: also rotate, roll back, revoke, restore.
enum class Operation : std::uint8_t { view, use, create, edit, remove, rescope, audit };

/// Whether `caller` may: pure. Outside the caller's scopes the answer is `credential_not_found`, the same as for what
/// does not exist; `forbidden` only for what it can see.
[[nodiscard]] result::Result<> authorize(const Caller& caller, Operation operation, const vocabulary::Scope& scope,
                                         const vocabulary::CredentialId& id, const vocabulary::ServiceId& service);
/// The one answer for a credential that is not there or out of reach.
[[nodiscard]] result::Failure credential_not_found();
/// The role that a caller has in a scope; nullopt: it does not reach it. An operator has none in another user's
/// personal scope (what it may do there all the same: `authorize`).
[[nodiscard]] std::optional<settings::Role> role_in(const Caller& caller, const vocabulary::Scope& scope);
/// The scopes in which a caller sees credentials; `all` are those that exist (an operator's view).
[[nodiscard]] std::vector<vocabulary::Scope> view_scopes(const Caller& caller,
                                                         const std::vector<vocabulary::Scope>& all);

} // namespace credlease::access
