#include "access/directory.hpp"

#include "store/bytes.hpp"

#include <algorithm>

namespace credlease::access {
namespace {

using result::ErrorCode;
using result::refuse;
using settings::Role;
using store::ByteReader;
using store::ByteWriter;
using vocabulary::UserId;
using vocabulary::WorkspaceId;

constexpr std::uint8_t record_format = 1;

vocabulary::WorkspaceId always_there(std::string_view id) { return WorkspaceId::read(id).value(); }

std::string member_key(const WorkspaceId& workspace, const UserId& user) {
    return workspace.text() + '/' + user.text(); // no id has a slash
}

std::string workspace_value() {
    std::string bytes;
    ByteWriter writer(bytes);
    writer.u8(record_format);
    return bytes;
}

std::string member_value(Role role) {
    std::string bytes;
    ByteWriter writer(bytes);
    writer.u8(record_format);
    writer.u8(static_cast<std::uint8_t>(role));
    return bytes;
}

result::Failure unreadable(const store::Record& record) {
    return refuse(
        {.code = ErrorCode::damaged,
         .sentence = "A record of the directory cannot be read: it was written by a newer version, or wrongly.",
         .next_step = "Start the version that wrote it, or restore a backup.",
         .about = result::PublicText::of(record.key)});
}

bool is_reserved(const WorkspaceId& id) {
    return id.text() == default_workspace || id.text() == organization_workspace;
}

} // namespace

struct Directory::State {
    struct Kept {
        Workspace workspace;
        std::uint64_t stored = 0; ///< revision of its own record; 0: it has none
    };
    std::map<std::string, Kept, std::less<>> workspaces;
    std::uint64_t epoch = 0;

    Kept& at(const WorkspaceId& id) {
        const auto [found, is_new] = workspaces.try_emplace(id.text());
        if (is_new) found->second.workspace.id = id;
        return found->second;
    }
    void add_reserved() {
        for (const auto id : {default_workspace, organization_workspace}) at(always_there(id));
    }
};

Directory::Directory() : state_(std::make_unique<State>()) { state_->add_reserved(); }
Directory::~Directory() = default;

result::Result<> Directory::accept(const store::Record& record) {
    ByteReader reader(record.value);
    if (reader.u8() != record_format) return unreadable(record);
    const auto slash = record.key.find('/');
    const auto id = WorkspaceId::read(record.key.substr(0, slash));
    if (!id) return unreadable(record);

    if (record.table == store::Table::workspaces) {
        if (slash != std::string_view::npos || !reader.is_whole()) return unreadable(record);
        State::Kept& kept = state_->at(*id);
        kept.stored = record.revision;
    } else {
        const auto user = UserId::read(slash == std::string_view::npos ? "" : record.key.substr(slash + 1));
        const auto role = reader.u8();
        if (!user || role > static_cast<std::uint8_t>(Role::admin) || !reader.is_whole()) return unreadable(record);
        state_->at(*id).workspace.members[*user] = {static_cast<Role>(role), record.revision};
    }
    ++state_->epoch;
    return {};
}

void Directory::forget(store::Table table, std::string_view key) {
    const auto slash = key.find('/');
    const auto found = state_->workspaces.find(key.substr(0, slash));
    if (found == state_->workspaces.end()) return;
    State::Kept& kept = found->second;
    if (table == store::Table::members && slash != std::string_view::npos) {
        if (const auto user = UserId::read(key.substr(slash + 1))) kept.workspace.members.erase(*user);
    } else if (table == store::Table::workspaces) {
        kept.stored = 0;
        if (kept.workspace.members.empty() && !is_reserved(kept.workspace.id)) state_->workspaces.erase(found);
    }
    ++state_->epoch;
}

const Workspace* Directory::find(std::string_view id) const {
    const auto found = state_->workspaces.find(id);
    return found == state_->workspaces.end() ? nullptr : &found->second.workspace;
}

std::vector<const Workspace*> Directory::all() const {
    std::vector<const Workspace*> found;
    found.reserve(state_->workspaces.size());
    for (const auto& [id, kept] : state_->workspaces) found.push_back(&kept.workspace);
    return found;
}

std::vector<std::pair<WorkspaceId, Role>> Directory::roles_of(const UserId& user) const {
    std::vector<std::pair<WorkspaceId, Role>> roles;
    for (const auto& [id, kept] : state_->workspaces) {
        const auto member = kept.workspace.members.find(user);
        if (member != kept.workspace.members.end()) roles.emplace_back(kept.workspace.id, member->second.first);
    }
    return roles;
}

std::vector<UserId> Directory::users() const {
    std::vector<UserId> users;
    for (const auto& [id, kept] : state_->workspaces) {
        for (const auto& [user, role] : kept.workspace.members) users.push_back(user);
    }
    std::ranges::sort(users);
    const auto repeated = std::ranges::unique(users);
    users.erase(repeated.begin(), repeated.end());
    return users;
}

result::Result<> Directory::stage(const Change& change, store::Batch& batch) const {
    const auto found = state_->workspaces.find(change.workspace.text());
    if (change.kind == Change::Kind::put_workspace) {
        if (found == state_->workspaces.end()) {
            batch.put(store::Table::workspaces, change.workspace.text(), 1, workspace_value());
        }
        return {};
    }
    if (found == state_->workspaces.end()) {
        return refuse({.code = ErrorCode::workspace_not_found,
                       .sentence = "There is no such workspace.",
                       .next_step = "See what there is with GET /v1/workspaces (credlease workspaces).",
                       .about = result::PublicText::of(change.workspace.text())});
    }
    const auto& [workspace, stored] = found->second;
    if (change.kind == Change::Kind::erase_workspace) {
        if (is_reserved(change.workspace)) {
            return refuse(result::invalid("workspace", "The workspaces default and organization always exist."));
        }
        for (const auto& [user, held] : workspace.members) {
            batch.erase(store::Table::members, member_key(workspace.id, user), held.second);
        }
        if (stored > 0) batch.erase(store::Table::workspaces, workspace.id.text(), stored);
        return {};
    }
    const auto member = workspace.members.find(change.user.value());
    const std::string key = member_key(workspace.id, *change.user);
    if (change.kind == Change::Kind::erase_member) {
        if (member != workspace.members.end()) batch.erase(store::Table::members, key, member->second.second);
    } else if (member == workspace.members.end()) {
        batch.put(store::Table::members, key, 1, member_value(change.role));
    } else if (member->second.first != change.role) {
        batch.put(store::Table::members, key, member->second.second + 1, member_value(change.role));
    }
    return {};
}

void Directory::apply(const Change& change) {
    ++state_->epoch;
    if (change.kind == Change::Kind::erase_workspace) {
        state_->workspaces.erase(change.workspace.text());
        return;
    }
    const bool is_new = !state_->workspaces.contains(change.workspace.text());
    State::Kept& kept = state_->at(change.workspace);
    if (is_new) kept.stored = 1;
    auto& members = kept.workspace.members;
    if (change.kind == Change::Kind::erase_member) {
        members.erase(change.user.value());
    } else if (change.kind == Change::Kind::put_member) {
        auto& [role, revision] = members[change.user.value()];
        if (revision == 0 || role != change.role) ++revision;
        role = change.role;
    }
}

void Directory::clear() {
    state_->workspaces.clear();
    state_->add_reserved();
    ++state_->epoch;
}

std::uint64_t Directory::epoch() const { return state_->epoch; }

} // namespace credlease::access
