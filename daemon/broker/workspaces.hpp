#pragma once

#include "broker/change.hpp"

namespace credlease::broker {

/// PUT and DELETE /v1/workspaces/{id} and …/members/{user}: operators; an admin changes the members of its own
/// workspace. A narrowed role ends what it no longer allows. A workspace with credentials is not erased
/// (`credential_in_use`).
[[nodiscard]] runtime::Task<result::Result<Answer>> change_directory(Unsealed& house, Asker asker,
                                                                     access::Directory::Change change);
/// The workspace, if the caller may see it: `workspace_not_found`.
[[nodiscard]] result::Result<const access::Workspace*> find_workspace(const Unsealed& house, const Asker& asker,
                                                                      std::string_view id);
[[nodiscard]] std::vector<const access::Workspace*> list_workspaces(const Unsealed& house, const Asker& asker);

} // namespace credlease::broker
