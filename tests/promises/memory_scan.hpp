#pragma once

#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace credlease::tests {

/// What to look for: every 12 consecutive bytes of a secret, raw, base64, base64url, percent-encoded and JSON-escaped,
/// and inside `Basic` for a user and password.
[[nodiscard]] std::vector<std::string> traces_of(std::string_view secret);

/// Reads all readable memory of a process through /proc/PID/mem, as root can, and returns where a trace was found
/// ("7f…-7f… [heap]: raw at 1234"); empty: nowhere. Regions that cannot be read (memfd_secret) are left out.
[[nodiscard]] std::vector<std::string> find_in_memory(pid_t pid, const std::vector<std::string>& traces);

} // namespace credlease::tests
