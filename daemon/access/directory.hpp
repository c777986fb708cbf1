#pragma once

#include "result/result.hpp"
#include "settings/settings.hpp"
#include "store/store.hpp"
#include "vocabulary/names.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace credlease::access {

inline constexpr std::string_view default_workspace = "default";
/// Reserved: its admins change organization credentials. It holds no credentials of its own.
inline constexpr std::string_view organization_workspace = "organization";

struct Workspace {
    vocabulary::WorkspaceId id;
    std::map<vocabulary::UserId, std::pair<settings::Role, std::uint64_t>> members; ///< role, revision
};

/// Workspaces and their members. `default` and the reserved `organization` always exist. Stage, then apply once
/// durable.
class Directory {
  public:
    Directory();
    ~Directory();
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    /// Table::workspaces and members. A member whose workspace's own record is lost stays one: the others serve on.
    [[nodiscard]] result::Result<> accept(const store::Record& record);
    /// A record that was taken turned out to be damaged (dropped, replayed, added): it no longer counts.
    void forget(store::Table table, std::string_view key);
    [[nodiscard]] const Workspace* find(std::string_view id) const;
    [[nodiscard]] std::vector<const Workspace*> all() const; ///< by id
    [[nodiscard]] std::vector<std::pair<vocabulary::WorkspaceId, settings::Role>>
    roles_of(const vocabulary::UserId& user) const;
    [[nodiscard]] std::vector<vocabulary::UserId> users() const; ///< members of anything

    struct Change {
        enum class Kind : std::uint8_t { put_workspace, erase_workspace, put_member, erase_member } kind;
        vocabulary::WorkspaceId workspace;
        std::optional<vocabulary::UserId> user{};
        settings::Role role = settings::Role::member;
    };
    /// `workspace_not_found`; erasing `default` or `organization` is `invalid_request`. The batch stays empty when it
    /// is so already.
    [[nodiscard]] result::Result<> stage(const Change& change, store::Batch& batch) const;
    void apply(const Change& change);
    void clear();
    /// Moves with every apply: callers made before are made anew.
    [[nodiscard]] std::uint64_t epoch() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace credlease::access
