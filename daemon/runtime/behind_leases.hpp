#pragma once

namespace credlease::runtime {

/// Puts the calling thread behind the loop, which is the main thread, and the log, which leases wait for: where they
/// want the same CPU it gets about a tenth of what one of them gets. Once more, it changes nothing. Linux keeps a nice
/// value for each thread (setpriority(2), C library/kernel differences). Where a service manager's filter refuses it,
/// that manager puts the loop ahead instead.
void go_behind_leases();

/// Lets who waits for this CPU have it now. To be called every few dozen microseconds by long work that has time: else
/// Linux lets even a thread that is behind go on for milliseconds while a lease has become ready (sched_yield(2)).
void give_way();

} // namespace credlease::runtime
