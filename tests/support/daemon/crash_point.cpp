#include "runtime/crash_point.hpp"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>
#include <unistd.h>

namespace credlease::runtime {

/// The file that CREDLEASE_CRASH_POINT names holds the step to die at; a test writes it when all else is ready. It
/// counts once.
void crash_point(std::string_view step) {
    const char* path = std::getenv("CREDLEASE_CRASH_POINT");
    if (path == nullptr) return;
    std::string wanted;
    std::getline(std::ifstream(path), wanted);
    if (wanted != step) return;
    ::unlink(path);
    ::kill(::getpid(), SIGKILL);
    ::pause(); // it may take the kernel a moment
}

} // namespace credlease::runtime
