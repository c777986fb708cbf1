#include "client/process.hpp"

#include <atomic>
#include <pthread.h>
#include <unistd.h>

namespace credlease::client {
namespace {

std::atomic<std::uint32_t> forks{0};

void count_fork() { forks.fetch_add(1, std::memory_order_relaxed); }

} // namespace

ProcessMark this_process() {
    // The count tells a child from a parent of the same pid (in another pid namespace); the pid tells a child that was
    // made without fork(3), by clone(2) itself.
    [[maybe_unused]] static const int watched = pthread_atfork(nullptr, nullptr, count_fork);
    return (std::uint64_t{forks.load(std::memory_order_relaxed)} << 32) | static_cast<std::uint32_t>(getpid());
}

} // namespace credlease::client
