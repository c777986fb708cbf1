#pragma once

#include <cerrno>
#include <fcntl.h>
#include <initializer_list>
#include <unistd.h>

namespace credlease::startup {

/// Opens what a program was started without of its descriptors 0, 1 and 2: the next file, socket or sealed memory would
/// take that number, and be read and written as if it were standard input or output. To read from it or to write to it
/// fails, as it would have. False when that is not possible: go no further.
[[nodiscard]] inline bool fill_standard_descriptors() {
    for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (fcntl(number, F_GETFD) >= 0 || errno != EBADF) continue;
        if (open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY) != number) return false;
    }
    return true;
}

} // namespace credlease::startup
