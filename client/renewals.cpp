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
/// Where the new secret is waited for, and the broker names no time.
constexpr std::chrono::nanoseconds pause_most = 5s;
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

void Renewals::hurry(const std::shared_ptr<Holding>& holding) {
    const std::lock_guard alone(lock_);
    const auto found =
        std::ranges::find(planned_, holding, [](const Planned& planned) { return planned.holding.lock(); });
    if (found == planned_.end()) return;
    hasten(*found);
    changed_.notify_all();
}

/// One that is hurried already waits for its next attempt, which brings what is newest then.
void Renewals::hasten(Planned& planned) {
    if (std::exchange(planned.is_hurried, true)) return;
    planned.pause = pause_least;
    planned.at = std::max(now(), planned.not_before);
}

void Renewals::run() {
    std::unique_lock held(lock_);
    while (!is_stopping_) {
        std::erase_if(planned_, [](const Planned& each) { return each.holding.expired(); });
        const auto due = std::ranges::find_if(planned_, [at = now()](const Planned& each) { return each.at <= at; });
        if (due == planned_.end()) {
            wait(held);
        } else {
            attempt(held, due);
        }
    }
}

void Renewals::attempt(std::unique_lock<std::mutex>& held, std::list<Planned>::iterator due) {
    const Planned tried = *due;
    due->is_hurried = false; // what changes from now on may be too late for this attempt
    busy_ = tried.session;
    held.unlock();
    // An exception would end the program, from a thread that it knows nothing of.
    const auto next = at_the_boundary([&]() -> Result<Next> { return renew(tried); });
    held.lock();
    busy_.reset();
    const bool is_hurried_since = due->is_hurried;
    if (next && !*next) {
        planned_.erase(due);
        return;
    }
    if (next) {
        *due = **next;
    } else {
        *due = tried;
        due->at = now() + pause_after_failure;
    }
    if (is_hurried_since) hasten(*due);
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
    if (renewed) return after_success(planned, times);
    if (left_of(times) <= 0ns) return std::nullopt;
    return after_failure(planned, times, renewed.error());
}

/// One that can't be longer stays: its secret may change yet.
Renewals::Planned Renewals::after_success(const Planned& planned, const LeaseTimes& times) {
    const bool can_be_longer = times.expires_at < times.renewable_until;
    const auto at = can_be_longer ? now() + std::max(pause_least, left_of(times) * 2 / 3) : BootTime::max();
    return {.holding = planned.holding, .session = planned.session, .at = at};
}

Renewals::Planned Renewals::after_failure(const Planned& planned, const LeaseTimes& times, const Error& error) {
    auto next = planned;
    auto pause = left_of(times) / 3;
    if (planned.is_hurried) {
        pause = std::min(pause, planned.pause);
        next.pause = std::min(planned.pause * 2, pause_most);
    }
    next.not_before = now() + error.retry_after.value_or(0s);
    next.at = std::max(now() + std::max(pause_least, pause), next.not_before);
    return next;
}

Renewals::BootTime Renewals::now() {
    timespec at{};
    clock_gettime(CLOCK_BOOTTIME, &at);
    return std::chrono::seconds(at.tv_sec) + std::chrono::nanoseconds(at.tv_nsec);
}

} // namespace credlease::client
