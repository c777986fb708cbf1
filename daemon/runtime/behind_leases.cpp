#include "runtime/behind_leases.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

namespace credlease::runtime {

void go_behind_leases() {
    constexpr int behind = 10;
    const int of_the_loop = ::getpriority(PRIO_PROCESS, static_cast<id_t>(::getpid()));
    (void)::setpriority(PRIO_PROCESS, 0, of_the_loop + behind);
}

void give_way() { ::sched_yield(); }

} // namespace credlease::runtime
