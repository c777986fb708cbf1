// Loaded before the daemon's libraries (LD_PRELOAD): its wall clock is ahead of the machine's by what a test says, and
// a timer that tells when the clock is set rings when the test says so.

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace {

/// The folder's file `ahead` (seconds, mapped by the test too) and pipe `told`.
struct Told {
    std::atomic<std::int64_t>* ahead = nullptr;
    int pipe = -1;

    Told() {
        const char* folder = std::getenv("SET_CLOCK");
        if (folder == nullptr) return;
        const int file = ::open((std::string(folder) + "/ahead").c_str(), O_RDWR | O_CLOEXEC);
        void* const mapped = ::mmap(nullptr, sizeof *ahead, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        ::close(file);
        if (mapped != MAP_FAILED) ahead = static_cast<std::atomic<std::int64_t>*>(mapped);
        pipe = ::open((std::string(folder) + "/told").c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    }
};

const Told& told() {
    static const Told made;
    return made;
}

} // namespace

// The kernel is called itself: a sanitizer asks for the time while it is being set up, when nothing can be looked up.

extern "C" [[gnu::visibility("default")]] int clock_gettime(clockid_t clock, timespec* now) {
    const auto outcome = static_cast<int>(::syscall(SYS_clock_gettime, clock, now));
    if (clock == CLOCK_REALTIME && told().ahead != nullptr) now->tv_sec += told().ahead->load();
    return outcome;
}

extern "C" [[gnu::visibility("default")]] int timerfd_create(int clock, int flags) {
    if (clock == CLOCK_REALTIME && told().pipe >= 0) return ::fcntl(told().pipe, F_DUPFD_CLOEXEC, 0);
    return static_cast<int>(::syscall(SYS_timerfd_create, clock, flags));
}
