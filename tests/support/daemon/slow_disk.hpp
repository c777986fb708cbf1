#pragma once

#include "support/daemon/daemon.hpp"

#include <cerrno>
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
    /// The log is synced, and the store has what is under way, unsynced.
    void hold_store_syncs() const { say("hold store sync"); }
    void slow_syncs() const { say("slow sync"); }   ///< each takes a tenth of a second
    void hold_writes() const { say("hold write"); } ///< of the audit log; for less than a second, or it counts as hung
    void fail_writes() const { fail(EIO, "/journal/"); } ///< of the audit log
    /// Writes of files whose path contains one of the parts ("/store/ /rescue").
    void fail(int error, const std::string& parts) const { say("fail " + std::to_string(error) + " " + parts); }
    void let_go() const { say(""); }

  private:
    void say(const std::string& order) const;

    std::filesystem::path file_;
};

} // namespace credlease::tests
