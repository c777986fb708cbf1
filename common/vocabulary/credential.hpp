#pragma once

#include "vocabulary/scope.hpp"
#include "vocabulary/time.hpp"
#include "vocabulary/ulid.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace credlease::vocabulary {

enum class FieldType : std::uint8_t { string, text, integer, boolean, list, map };

/// The value of a public field. (Secret ones never take this shape: see vault::FieldSet.)
using PublicValue =
    std::variant<std::string, std::int64_t, bool, std::vector<std::string>, std::map<std::string, std::string>>;
using PublicFields = std::map<std::string, PublicValue, std::less<>>;

enum class CredentialStatus : std::uint8_t { active, expired, failing, revoked, pending };
[[nodiscard]] std::string_view name_of(CredentialStatus status);
[[nodiscard]] std::optional<CredentialStatus> find_status(std::string_view name);

/// What may be known of a stored credential without opening it.
struct Credential {
    CredentialId id;
    CredentialName name;
    ServiceId service;
    std::string auth; ///< the service's auth type, e.g. "bearer"
    Scope scope;
    std::string owner;                      ///< principal or user that owns it
    std::string notes;                      ///< at most 4096 bytes
    PublicFields fields;                    ///< public fields
    std::vector<std::string> secret_fields; ///< names of the secret fields that are set
    CredentialStatus status = CredentialStatus::active;
    CredentialStatus status_before = CredentialStatus::active; ///< of a revoked one: what `restore` gives back
    std::uint32_t version = 1;
    std::string status_reason; ///< empty: none
    std::string status_reason_before;
    std::uint64_t generation = 0;
    std::uint64_t revision = 1;
    Time created_at{};
    std::string created_by;
    Time updated_at{};
    std::optional<Time> expires_at;
    std::optional<Duration> rotate_every;
    Time rotated_at{}; ///< when this version was made
};

} // namespace credlease::vocabulary
