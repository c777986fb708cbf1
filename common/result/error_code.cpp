#include "result/error_code.hpp"

#include <array>

namespace credlease::result {
namespace {

constexpr std::array<std::string_view, 37> names = {"invalid_request",
                                                    "secret_required",
                                                    "unauthenticated",
                                                    "forbidden",
                                                    "unseal_refused",
                                                    "credential_not_found",
                                                    "lease_not_found",
                                                    "service_not_found",
                                                    "grant_not_found",
                                                    "workspace_not_found",
                                                    "not_found",
                                                    "method_not_allowed",
                                                    "request_timeout",
                                                    "payload_too_large",
                                                    "unsupported_media_type",
                                                    "header_too_large",
                                                    "credential_revoked",
                                                    "credential_expired",
                                                    "credential_pending",
                                                    "name_taken",
                                                    "name_ambiguous",
                                                    "credential_in_use",
                                                    "authorization_in_progress",
                                                    "idempotency_mismatch",
                                                    "lease_ended",
                                                    "version_conflict",
                                                    "precondition_required",
                                                    "rate_limited",
                                                    "internal",
                                                    "upstream_failed",
                                                    "refresh_timeout",
                                                    "sealed",
                                                    "store_unavailable",
                                                    "overloaded",
                                                    "configuration",
                                                    "unreachable",
                                                    "damaged"};
static_assert(names.size() == static_cast<std::size_t>(ErrorCode::damaged) + 1);

} // namespace

std::string_view name_of(ErrorCode code) { return names[static_cast<std::size_t>(code)]; }

std::optional<ErrorCode> find_error_code(std::string_view name) {
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] == name) return static_cast<ErrorCode>(i);
    }
    return std::nullopt;
}

} // namespace credlease::result
