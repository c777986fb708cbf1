#include "runtime/behind_leases.hpp"

#include <unistd.h>

namespace credlease::runtime {

void go_behind_leases() {
    constexpr int behind = 10;
    (void)!::nice(behind);
}

} // namespace credlease::runtime
