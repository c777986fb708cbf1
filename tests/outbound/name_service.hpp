#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace credlease::outbound::test {

// This program's getaddrinfo(3) knows names ending in ".test" from here, and asks the system for others.

/// From now on `host` has these addresses; with none it is not found.
void set_addresses(const std::string& host, std::vector<std::string> addresses);
/// Looking up `host` does not return before `let_go` is called.
void hang(const std::string& host);
void let_go();
void let_go(const std::string& host); ///< this one alone
/// How often `host` was asked for.
[[nodiscard]] std::size_t lookups_of(const std::string& host);

} // namespace credlease::outbound::test
