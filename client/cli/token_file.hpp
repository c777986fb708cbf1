#pragma once

#include "credlease/client.hpp"

#include <string>

namespace credlease::cli {

/// Writes a token and a newline to a file of mode 0600, which is there whole or not at all.
Result<void> write_token_file(const std::string& path, const SecretText& token);

} // namespace credlease::cli
