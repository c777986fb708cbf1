#include "runtime/agenda.hpp"

namespace credlease::runtime {

std::uint64_t Agenda::add(BootTime when, std::function<void()> job) {
    ++last_;
    calls_.emplace(std::pair(when, last_), std::move(job));
    times_.emplace(last_, when);
    return last_;
}

void Agenda::remove(std::uint64_t call) {
    const auto time = times_.find(call);
    if (time == times_.end()) return;
    calls_.erase({time->second, call});
    times_.erase(time);
}

std::optional<BootTime> Agenda::next() const {
    if (calls_.empty()) return std::nullopt;
    return calls_.begin()->first.first;
}

void Agenda::run_due(BootTime now) {
    const std::uint64_t newest = last_;
    auto call = calls_.begin();
    while (call != calls_.end() && call->first.first <= now) {
        const auto key = call->first;
        if (key.second <= newest) {
            const std::function<void()> job = std::move(call->second);
            calls_.erase(call);
            times_.erase(key.second);
            job(); // may add and remove calls
        }
        call = calls_.upper_bound(key);
    }
}

} // namespace credlease::runtime
