#pragma once

#include "result/result.hpp"

#include <string>

namespace credlease::attestation {

/// The systemd unit that a cgroup path (one line of /proc/PID/cgroup, without its "N:…:" head) lies in: the first below
/// the system's slices; below user@N.service nothing counts. Empty: none.
[[nodiscard]] std::string unit_of_cgroup(std::string_view path);

} // namespace credlease::attestation
