#pragma once

#include "credlease/client.hpp"

#include <string>

namespace credlease::client {

/// The variables of the environment that name a socket.
inline constexpr const char* lease_variable = "CREDLEASE_SOCKET";
inline constexpr const char* admin_variable = "CREDLEASE_ADMIN_SOCKET";

/// Where the broker's sockets are (interface §1): the options', else the environment's (CREDLEASE_SOCKET,
/// CREDLEASE_ADMIN_SOCKET) unless one broker was chosen, else the caller's own broker where its socket exists
/// ($XDG_RUNTIME_DIR/credlease, $XDG_STATE_HOME/credlease/run), else the system's (/run/credlease).
struct Places {
    std::string lease_socket;
    std::string admin_socket;
};
[[nodiscard]] Places find_places(const Options& options);

/// The environment's variable; empty when unset, or in a set-user-ID program (secure_getenv(3)).
[[nodiscard]] std::string variable(const char* name);

} // namespace credlease::client
