#pragma once

#include "support/daemon/daemon.hpp"
#include "support/daemon/durable_memory.hpp"
#include "support/temporary_folder.hpp"

namespace credlease::tests {

/// The disk of one daemon, which forgets what was not synced when the power goes: `forgetful_calls.cpp` writes down,
/// inside the daemon, what was.
class ForgetfulDisk {
  public:
    ForgetfulDisk();
    ForgetfulDisk(const ForgetfulDisk&) = delete;
    ForgetfulDisk& operator=(const ForgetfulDisk&) = delete;

    /// A daemon on this disk.
    [[nodiscard]] Daemon::Setup setup(std::string config = {}) const;
    /// All that lies in the daemon's folders is on the disk: before its first start.
    void begin(const Daemon& daemon);
    /// Kills it; in its folders lies what the disk has, and its next start is another boot's.
    void lose_power(Daemon& daemon, DurableMemory::Rest rest, std::mt19937& random);

  private:
    void forget() const;
    void boot();

    [[nodiscard]] std::filesystem::path file(const char* name) const { return folder_.path() / name; }

    test::TemporaryFolder folder_;
    DurableMemory memory_;
    unsigned boots_ = 0;
};

} // namespace credlease::tests
