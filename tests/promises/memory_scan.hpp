#pragma once

#include "support/daemon/daemon.hpp"

#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace credlease::tests {

/// What to look for: every 12 consecutive bytes of a secret, raw, base64, base64url, percent-encoded and JSON-escaped,
/// and inside `Basic` for a user and password.
[[nodiscard]] std::vector<std::string> traces_of(std::string_view secret);
/// Of bytes that are nowhere a text: a key as OpenSSL holds it.
[[nodiscard]] std::vector<std::string> traces_of_bytes(std::string_view secret);

/// Reads all readable memory of a process through /proc/PID/mem, as root can, and returns where a trace was found
/// ("7f…-7f… [heap]: raw at 1234"); empty: nowhere. Regions that cannot be read (memfd_secret) are left out.
[[nodiscard]] std::vector<std::string> find_in_memory(pid_t pid, const std::vector<std::string>& traces);
/// Whether a text, or a file's bytes, hold a trace.
[[nodiscard]] bool holds(std::string_view bytes, const std::vector<std::string>& traces);

/// The same from inside a daemon, where memory of memfd_secret shows too: memory_walk.cpp is loaded into it.
class InProcessWalk {
  public:
    InProcessWalk();
    ~InProcessWalk();
    InProcessWalk(const InProcessWalk&) = delete;
    InProcessWalk& operator=(const InProcessWalk&) = delete;

    /// A daemon that is looked into.
    [[nodiscard]] Daemon::Setup setup(std::string config) const;
    [[nodiscard]] std::vector<std::string> find(pid_t pid, const std::vector<std::string>& traces);

  private:
    [[nodiscard]] bool meet(pid_t pid);

    std::string folder_;
    int listener_ = -1;
    int socket_ = -1; ///< of the daemon `pid_`
    pid_t pid_ = 0;
};

} // namespace credlease::tests
