#include "client/renewals.hpp"

#include <algorithm>
#include <csignal>
#include <ctime>
#include <utility>

namespace credlease::client {
namespace {

using namespace std::chrono_literals;

/// Between two attempts at least, so that a lease in its last moments is not asked for in a loop.
constexpr std::chrono::nanoseconds pause_least = 100ms;
/// A waiting thread's clock stands still while the host sleeps: it looks at the time this often.
constexpr std::chrono::nanoseconds look_every = 30s;

std::chrono::nanoseconds left_of(const LeaseTimes& times) {
    return times.expires_at - std::chrono::system_clock::now();
}

/// Starts a thread that leaves the program's signals to the program.
std::thread start_quietly(std::function<void()> run) {
    sigset_t all{};
    sigset_t before{};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread started(std::move(run));
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return started;
}

} // namespace

Renewals::~Renewals() {
    {
        const std::lock_guard alone(lock_);
        is_stopping_ = true;
        if (busy_) busy_->interrupt();
        changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
}

void Renewals::add(const std::shared_ptr<Holding>& holding, std::shared_ptr<Session> session) {
    const std::lock_guard alone(lock_);
    planned_.push_back({holding, std::move(session), now() + std::max(pause_least, left_of(holding->times()) * 2 / 3)});
    if (!thread_.joinable()) thread_ = start_quietly([this] { run(); });
    changed_.notify_all();
}

void Renewals::run() {
    std::unique_lock held(lock_);
    while (!is_stopping_) {
        const auto due = std::ranges::find_if(planned_, [at = now()](const Planned& each) { return each.at <= at; });
        if (due == planned_.end()) {
            wait(held);
            continue;
        }
        Planned taken = std::move(*due);
        planned_.erase(due);
        busy_ = taken.session;
        held.unlock();
        const auto next = renew(taken);
        held.lock();
        busy_.reset();
        if (next) planned_.push_back({std::move(taken.holding), std::move(taken.session), *next});
    }
}

void Renewals::wait(std::unique_lock<std::mutex>& held) {
    if (planned_.empty()) {
        changed_.wait(held);
        return;
    }
    const auto first = std::ranges::min(planned_, {}, &Planned::at).at;
    changed_.wait_for(held, std::clamp<std::chrono::nanoseconds>(first - now(), 0ns, look_every));
}

std::optional<Renewals::BootTime> Renewals::renew(const Planned& planned) {
    const auto holding = planned.holding.lock();
    if (!holding || holding->is_over()) return std::nullopt;
    const auto renewed = holding->renew(*planned.session, holding->ttl());
    if (holding->is_over()) return std::nullopt;

    const LeaseTimes times = holding->times();
    const auto left = left_of(times);
    if (!renewed) {
        if (left <= 0ns) return std::nullopt;
        const std::chrono::nanoseconds asked = renewed.error().retry_after.value_or(0s);
        return now() + std::max({pause_least, left / 3, asked});
    }
    const bool can_be_longer = times.expires_at < times.renewable_until;
    return can_be_longer ? std::optional(now() + std::max(pause_least, left * 2 / 3)) : std::nullopt;
}

Renewals::BootTime Renewals::now() {
    timespec at{};
    clock_gettime(CLOCK_BOOTTIME, &at);
    return std::chrono::seconds(at.tv_sec) + std::chrono::nanoseconds(at.tv_nsec);
}

} // namespace credlease::client
