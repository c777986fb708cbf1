#include "client/open_sockets.hpp"

#include <mutex>
#include <pthread.h>
#include <set>
#include <unistd.h>

namespace credlease::client::open_sockets {
namespace {

struct Open {
    std::mutex lock;
    std::set<int> descriptors;
};

/// Never destroyed: clients in static storage may close theirs last.
Open& all() {
    static auto* open = new Open;
    return *open;
}

void before_fork() { all().lock.lock(); }
void after_fork_in_parent() { all().lock.unlock(); }
void after_fork_in_child() {
    for (const int descriptor : all().descriptors) ::close(descriptor);
    all().descriptors.clear();
    all().lock.unlock();
}

} // namespace

void add(int descriptor) {
    [[maybe_unused]] static const int watched = pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    const std::lock_guard alone(all().lock);
    all().descriptors.insert(descriptor);
}

void close(int descriptor) {
    const std::lock_guard alone(all().lock);
    if (all().descriptors.erase(descriptor) == 1) ::close(descriptor);
}

} // namespace credlease::client::open_sockets
