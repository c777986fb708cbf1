#pragma once

#include "result/result.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace credlease::supervisor {

/// The service manager that started the daemon: tells it how the daemon is (sd_notify(3)). Where none listens, every
/// call does nothing; a manager that has gone is never an error.
class Supervisor {
  public:
    /// By NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
    [[nodiscard]] static Supervisor from_environment();

    [[nodiscard]] bool is_present() const { return present_; }
    /// It serves; also said when a reload has ended, well or not.
    void ready() const;
    /// It rereads its config; `ready` ends that.
    void reloading() const;
    /// It stops; what comes is the end of work under way.
    void stopping() const;
    /// One line for `systemctl status`. Holds no secret.
    void status(std::string_view text) const;

    /// How often `alive` must be called (half of WatchdogSec=, as sd_watchdog_enabled(3) advises); absent: never.
    [[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval() const { return watchdog_; }
    void alive() const;

  private:
    void tell(const char* lines) const;

    bool present_ = false;
    std::optional<std::chrono::microseconds> watchdog_;
};

/// Listening sockets that the manager made: descriptors, close-on-exec, the caller's to close.
struct PassedSockets {
    int lease = -1;
    int admin = -1;
};

/// The sockets of socket activation (sd_listen_fds_with_names(3)), known by FileDescriptorName=; absent when none were
/// passed. `configuration`: a name is missing, unknown or there twice, or one is no listening Unix stream socket.
/// Takes LISTEN_* out of the environment: call it once, while there is one thread.
[[nodiscard]] result::Result<std::optional<PassedSockets>> passed_sockets();

} // namespace credlease::supervisor
