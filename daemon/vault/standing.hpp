#pragma once

#include "vocabulary/credential.hpp"

#include <string>

namespace credlease::vault {

/// What is to be said of a credential's secret, whether or not somebody revoked it: of a revoked one it is what
/// `restore` gives back.
struct Standing {
    vocabulary::CredentialStatus& status;
    std::string& reason;
};
[[nodiscard]] inline Standing standing_of(vocabulary::Credential& credential) {
    if (credential.status == vocabulary::CredentialStatus::revoked) {
        return {.status = credential.status_before, .reason = credential.status_reason_before};
    }
    return {.status = credential.status, .reason = credential.status_reason};
}

} // namespace credlease::vault
