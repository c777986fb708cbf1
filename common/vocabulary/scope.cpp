#include "vocabulary/scope.hpp"

#include <utility>

namespace credlease::vocabulary {
namespace {

constexpr std::string_view organization_text = "organization";
constexpr std::string_view workspace_prefix = "workspace:";
constexpr std::string_view personal_prefix = "personal:";

} // namespace

Scope Scope::of(WorkspaceId workspace) {
    return {.kind = ScopeKind::workspace, .workspace = std::move(workspace), .user = {}};
}

Scope Scope::of(UserId user) { return {.kind = ScopeKind::personal, .workspace = {}, .user = std::move(user)}; }

std::string Scope::text() const {
    switch (kind) {
    case ScopeKind::personal:
        return std::string(personal_prefix) + user.directory.text() + "/" + user.name.text();
    case ScopeKind::workspace:
        return std::string(workspace_prefix) + workspace.text();
    case ScopeKind::organization:
        return std::string(organization_text);
    }
    std::unreachable();
}

std::optional<Scope> Scope::find(std::string_view text) {
    if (text == organization_text) return organization();
    if (text.starts_with(workspace_prefix)) {
        auto workspace = WorkspaceId::read(text.substr(workspace_prefix.size()));
        if (workspace) return of(std::move(*workspace));
    }
    if (text.starts_with(personal_prefix)) {
        auto user = UserId::read("user:" + std::string(text.substr(personal_prefix.size())));
        if (user) return of(std::move(*user));
    }
    return std::nullopt;
}

} // namespace credlease::vocabulary
