#include "client/renewals.hpp"

#include "client/refusal.hpp"
#include "client/signals_held_back.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

namespace credlease::client {
namespace {

using namespace std::chrono_literals;

/// Between two attempts at least, so that a lease in its last moments is not asked for in a loop.
constexpr std::chrono::nanoseconds pause_least = 100ms;
/// Where an attempt failed before it could say why.
constexpr std::chrono::nanoseconds pause_after_failure = 1s;
/// A waiting thread's clock stands still while the host sleeps: it looks at the time this often.
constexpr std::chrono::nanoseconds look_every = 30s;

std::chrono::nanoseconds left_of(const LeaseTimes& times) {
    return times.expires_at - std::chrono::system_clock::now();
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
    if (!thread_.joinable()) start();
    planned_.push_back({holding, std::move(session), now() + std::max(pause_least, left_of(holding->times()) * 2 / 3)});
    changed_.notify_all();
}

void Renewals::start() {
    const SignalsHeldBack program_has_them;
    thread_ = std::thread([this] { run(); });
}

void Renewals::run() {
    std::unique_lock held(lock_);
    while (!is_stopping_) {
        const auto due = std::ranges::find_if(planned_, [at = now()](const Planned& each) { return each.at <= at; });
        if (due == planned_.end()) {
            wait(held);
            continue;
        }
        busy_ = due->session;
        held.unlock();
        // An exception would end the program, from a thread that it knows nothing of.
        const auto next = at_the_boundary([&]() -> Result<Next> { return renew(*due); });
        held.lock();
        busy_.reset();
        if (!next) {
            due->at = now() + pause_after_failure;
        } else if (*next) {
            due->at = **next;
        } else {
            planned_.erase(due);
        }
    }
}

void Renewals::wait(std::unique_lock<std::mutex>& held) {
    if (planned_.empty()) {
        changed_.wait(held);
        return;
    }
    const auto first = std::ranges::min_element(planned_, {}, &Planned::at)->at;
    changed_.wait_for(held, std::clamp<std::chrono::nanoseconds>(first - now(), 0ns, look_every));
}

Renewals::Next Renewals::renew(const Planned& planned) {
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
    return can_be_longer ? Next(now() + std::max(pause_least, left * 2 / 3)) : std::nullopt;
}

Renewals::BootTime Renewals::now() {
    timespec at{};
    clock_gettime(CLOCK_BOOTTIME, &at);
    return std::chrono::seconds(at.tv_sec) + std::chrono::nanoseconds(at.tv_nsec);
}

} // namespace credlease::client
