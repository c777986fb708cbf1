#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace credlease::result {

/// Every way in which a request can be refused. The names are the `code` member of a problem answer: a promise.
enum class ErrorCode : std::uint8_t {
    invalid_request,
    secret_required,
    unauthenticated,
    forbidden,
    unseal_refused,
    credential_not_found,
    lease_not_found,
    service_not_found,
    grant_not_found,
    workspace_not_found,
    not_found,
    method_not_allowed,
    request_timeout,
    payload_too_large,
    unsupported_media_type,
    header_too_large,
    credential_revoked,
    credential_expired,
    credential_pending,
    name_taken,
    name_ambiguous,
    credential_in_use,
    authorization_in_progress,
    idempotency_mismatch,
    lease_ended,
    version_conflict,
    precondition_required,
    rate_limited,
    internal,
    upstream_failed,
    refresh_timeout,
    sealed,
    store_unavailable,
    overloaded,
    // Not sent over the wire as they are: what a program says of its own surroundings.
    configuration, ///< the config file or a flag is wrong
    unreachable,   ///< the broker could not be reached
    damaged,       ///< stored data failed its authentication
};

/// The code's name on the wire ("credential_not_found").
[[nodiscard]] std::string_view name_of(ErrorCode code);
[[nodiscard]] std::optional<ErrorCode> find_error_code(std::string_view name);

} // namespace credlease::result
