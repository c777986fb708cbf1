#pragma once

#include "access/caller.hpp"
#include "access/directory.hpp"

#include <string_view>

// What each kind of caller is and reaches (interface.md "Rights"): pure.

namespace credlease::access {

/// Whether an engine's `workspaces` has this one.
[[nodiscard]] bool covers(const settings::EngineRule& engine, const vocabulary::WorkspaceId& workspace);

[[nodiscard]] std::string principal_of(const settings::WorkerRule& worker); ///< "worker:etl"
[[nodiscard]] std::string principal_of(const settings::EngineRule& engine); ///< "engine:flows"

[[nodiscard]] CallerRef make_worker(const settings::WorkerRule& rule);
/// Whoever sends the grant's token.
[[nodiscard]] CallerRef make_grantee(const vocabulary::Grant& grant);
/// `user`: the user of the directory that this operator is, too.
[[nodiscard]] CallerRef make_operator(std::string principal, const std::optional<vocabulary::UserId>& user,
                                      const Directory& directory);
[[nodiscard]] CallerRef make_user(const vocabulary::UserId& user, const Directory& directory);
/// An engine by itself: it mints grants within its workspaces, and neither sees nor leases credentials.
[[nodiscard]] CallerRef make_engine(const settings::EngineRule& rule, const Directory& directory);
/// An engine acting for a user: the least of the user's role, the engine's `max_role` and its workspaces.
[[nodiscard]] CallerRef make_actor(const settings::EngineRule& rule, const vocabulary::UserId& user,
                                   const Directory& directory);

} // namespace credlease::access
