#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace credlease::attestation {

/// Room for "/proc/PID/NAME", made without the heap.
class ProcPath {
  public:
    ProcPath(pid_t pid, const char* name);
    [[nodiscard]] const char* text() const { return text_; }

  private:
    char text_[48];
};

/// A line of /proc/PID/stat: what does not change in a process's life, and whether it still has one (proc(5)).
struct ProcessStat {
    char state = '?';
    std::uint64_t start_time = 0; ///< clock ticks since boot (field 22)
    [[nodiscard]] bool has_exited() const { return state == 'Z' || state == 'X' || state == 'x'; }
};
[[nodiscard]] std::optional<ProcessStat> read_stat(pid_t pid);
/// The line itself; its second field may hold spaces and parentheses.
[[nodiscard]] std::optional<ProcessStat> parse_stat(std::string_view line);

/// Who the process acts as now (/proc/PID/status, "Uid:").
struct ProcessUids {
    uid_t real = 0;
    uid_t effective = 0;
};
[[nodiscard]] std::optional<ProcessUids> read_uids(pid_t pid);

/// The systemd unit that the process lies in (/proc/PID/cgroup); empty: none.
[[nodiscard]] std::string unit_of_process(pid_t pid);

/// What /proc/PID/exe is called, for the audit log: a name that its owner can choose. Empty where it can't be read.
[[nodiscard]] std::string executable_path(pid_t pid);

/// Now, in the unit and on the clock of `ProcessStat::start_time`.
[[nodiscard]] std::uint64_t ticks_since_boot();

/// pidfd_open(2); -1 and errno where it fails.
[[nodiscard]] int pidfd_open(pid_t pid);

} // namespace credlease::attestation
