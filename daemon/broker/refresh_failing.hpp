#pragma once

#include "broker/unsealed.hpp"

namespace credlease::broker {

/// The organization's client for a service has been set anew: grants that fail by it are refreshed at once, one after
/// the other, until two have failed again; then each waits for its own time.
[[nodiscard]] runtime::Task<> refresh_failing(Unsealed& house, std::string service);
/// The fields of one that fails have been changed: it is refreshed at once.
[[nodiscard]] runtime::Task<> refresh_edited(Unsealed& house, vocabulary::Scope scope, vocabulary::CredentialId id);

} // namespace credlease::broker
