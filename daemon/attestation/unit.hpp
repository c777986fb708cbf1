#pragma once

#include <string>
#include <string_view>

namespace credlease::attestation {

/// The systemd unit that a cgroup path (one line of /proc/PID/cgroup, without its "N:…:" head) lies in: the first below
/// the system's slices; below user@N.service nothing counts. Empty: none.
[[nodiscard]] std::string unit_of_cgroup(std::string_view path);

/// The line of /proc/PID/cgroup that systemd's units show in (cgroups(7)): the unified hierarchy's ("0::PATH") unless
/// it says nothing ("/": a hybrid host), else that of the named hierarchy ("N:name=systemd:PATH"). Without its head.
[[nodiscard]] std::string_view cgroup_path(std::string_view lines);

} // namespace credlease::attestation
