#include "support/daemon/wall_clock.hpp"

#include <fcntl.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace credlease::tests {

WallClock::WallClock() {
    const auto file_name = folder_.path() / "ahead";
    const auto pipe_name = folder_.path() / "told";
    const int file = ::open(file_name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const bool is_made = ::ftruncate(file, sizeof *ahead_) == 0 && ::mkfifo(pipe_name.c_str(), 0600) == 0;
    void* const mapped = ::mmap(nullptr, sizeof *ahead_, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    told_ = ::open(pipe_name.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (!is_made || mapped == MAP_FAILED || told_ < 0) throw std::runtime_error("no clock that can be set");
    ahead_ = static_cast<std::atomic<std::int64_t>*>(mapped);
}

WallClock::~WallClock() {
    ::munmap(ahead_, sizeof *ahead_);
    ::close(told_);
}

Daemon::Setup WallClock::setup() const {
    return {.environment = {{"LD_PRELOAD", SET_CLOCK_BUILT}, {"SET_CLOCK", folder_.path().native()}}};
}

void WallClock::move(std::chrono::seconds by) const {
    *ahead_ += by.count();
    const std::uint64_t times = 1; // as much as a timer's reader takes
    if (::write(told_, &times, sizeof times) != sizeof times) throw std::runtime_error("the daemon was not told");
}

} // namespace credlease::tests
