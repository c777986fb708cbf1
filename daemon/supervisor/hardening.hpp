#pragma once

#include "result/result.hpp"

namespace credlease::supervisor {

/// First thing in main, before there is a secret: the process is not dumpable (prctl(2): no core, no ptrace(2) by
/// others of its uid, its files in /proc are root's) and has no core limit above 0.
[[nodiscard]] result::Result<> refuse_inspection();

/// What the process can and can't do from now on.
struct Hardening {
    bool reads_other_processes = false; ///< CAP_SYS_PTRACE was held and is kept: other uids' executables can be seen
    bool filters_calls = false;         ///< ptrace(2), process_vm_*(2) and pidfd_getfd(2) fail with EPERM
};

/// Once what needs privileges is done (sockets given to their groups, the data folder made) and before the first thread
/// starts, since capabilities are a thread's: no new privileges, no capability but CAP_SYS_PTRACE where it is held, a
/// system call filter. `internal`: a capability stayed.
[[nodiscard]] result::Result<Hardening> drop_privileges();

} // namespace credlease::supervisor
