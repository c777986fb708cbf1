#pragma once

#include "vocabulary/names.hpp"

#include <optional>

namespace credlease::vocabulary {

enum class ScopeKind : std::uint8_t { personal, workspace, organization };

/// Who can use a credential: one user, one workspace, or everyone.
struct Scope {
    ScopeKind kind = ScopeKind::organization;
    WorkspaceId workspace{}; ///< of `workspace` alone
    UserId user{};           ///< of `personal` alone

    [[nodiscard]] static Scope organization() { return {}; }
    [[nodiscard]] static Scope of(WorkspaceId workspace);
    [[nodiscard]] static Scope of(UserId user);

    auto operator<=>(const Scope&) const = default;
    /// One text a scope, for keys and logs: "organization", "workspace:acme", "personal:flows/alice".
    [[nodiscard]] std::string text() const;
    [[nodiscard]] static std::optional<Scope> find(std::string_view text); ///< reads back `text()`
};

} // namespace credlease::vocabulary

template <> struct std::hash<credlease::vocabulary::Scope> {
    std::size_t operator()(const credlease::vocabulary::Scope& scope) const noexcept {
        const std::hash<std::string> hash;
        const std::size_t names = scope.kind == credlease::vocabulary::ScopeKind::personal
                                      ? hash(scope.user.directory.text()) * 31 + hash(scope.user.name.text())
                                      : hash(scope.workspace.text());
        return names ^ static_cast<std::size_t>(scope.kind);
    }
};
