#pragma once

#include "vocabulary/credential.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace credlease::vocabulary {

/// Which credentials a grant or a worker rule reaches, within its scopes.
struct Reach {
    bool all = true;
    std::vector<CredentialId> credentials{};
    std::vector<ServiceId> services{};

    [[nodiscard]] bool includes(const CredentialId& id, const ServiceId& service) const;
};

/// What an engine mints for one run. The token itself is not here: only its keyed hash is stored.
struct Grant {
    GrantId id;
    std::string minted_by;      ///< principal: "engine:flows", "operator:root"
    std::string on_behalf_of{}; ///< the actor, "user:flows/alice"; empty: none
    WorkspaceId workspace;
    std::optional<UserId> user{};
    std::string workflow;
    std::string run{};
    Reach reach;
    std::vector<std::string> fields{}; ///< empty: all
    Time created_at{};
    Time expires_at{};
    std::optional<Duration> max_ttl{};
    std::optional<std::uint32_t> max_leases{};
    std::uint32_t leases_taken = 0;
    std::optional<std::uint32_t> uid{}; ///< nullopt: a bearer grant
};

} // namespace credlease::vocabulary
