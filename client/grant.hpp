#pragma once

#include "credlease/client.hpp"
#include "secret/secret_buffer.hpp"

#include <memory>

namespace credlease::client {

using Grant = std::shared_ptr<const secret::SecretBuffer>;

/// The grant that CREDLEASE_GRANT_FILE names (without its newline), else CREDLEASE_GRANT; null where neither is set.
/// A file that cannot be read is `configuration`: a worker that was given a grant never goes on without it.
[[nodiscard]] Result<Grant> read_grant_of_environment();

/// Checks that a grant is one line of visible characters, and takes it.
[[nodiscard]] Result<Grant> take_grant(secret::SecretBuffer text);

} // namespace credlease::client
