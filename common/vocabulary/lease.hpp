#pragma once

#include "vocabulary/credential.hpp"

#include <cstdint>
#include <string>

namespace credlease::vocabulary {

enum class LimitedBy : std::uint8_t { ttl, max_ttl, grant, credential, token };
[[nodiscard]] std::string_view name_of(LimitedBy limit);

enum class Binding : std::uint8_t { process, none };
[[nodiscard]] std::string_view name_of(Binding binding);
[[nodiscard]] std::optional<Binding> find_binding(std::string_view name);

/// Why a lease is no more (the `reason` of `lease_ended`).
enum class EndReason : std::uint8_t {
    released,
    expired,
    credential_revoked,
    credential_deleted,
    credential_rotated,
    scope_changed,
    grant_ended,
    holder_exited,
    sealed,
    ended_by_operator,
    undelivered, ///< the record was written but the reply could not leave
};
[[nodiscard]] result::StaticText text_of(EndReason reason);
[[nodiscard]] std::optional<EndReason> find_end_reason(std::string_view name);

/// For which workflow, run and node a lease was taken; `claimed` unless a grant attests it.
struct Purpose {
    std::string workflow;
    std::string run;
    std::string node;
    bool claimed = true;
    bool operator==(const Purpose&) const = default;
};

} // namespace credlease::vocabulary
