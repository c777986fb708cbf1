#pragma once

#include "support/daemon/daemon.hpp"

#include <string>

namespace credlease::tests {

/// The disk of one daemon, which a test lets wait or fail: `held_calls.cpp` obeys it inside the daemon.
class SlowDisk {
  public:
    SlowDisk();
    ~SlowDisk();
    SlowDisk(const SlowDisk&) = delete;
    SlowDisk& operator=(const SlowDisk&) = delete;

    /// A daemon on this disk.
    [[nodiscard]] Daemon::Setup setup(std::string config = {}) const;

    void hold_syncs() const { say("hold sync"); }
    void hold_writes() const { say("hold write"); } ///< of the audit log; for less than a second, or it counts as hung
    void fail_writes() const { say("fail write"); } ///< of the audit log
    void let_go() const { say(""); }

  private:
    void say(const std::string& order) const;

    std::filesystem::path file_;
};

} // namespace credlease::tests
