#include "runtime/gate.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>

namespace credlease::runtime {

Gate::Pass& Gate::Pass::operator=(Pass&& other) noexcept {
    if (this != &other) {
        leave();
        gate_ = std::exchange(other.gate_, nullptr);
        keys_ = std::move(other.keys_);
    }
    return *this;
}

void Gate::Pass::leave() {
    Gate* const gate = std::exchange(gate_, nullptr);
    if (gate == nullptr) return;
    for (const auto& key : std::exchange(keys_, {})) gate->leave(key);
}

Task<Gate::Pass> Gate::enter(std::vector<std::string> keys) {
    std::ranges::sort(keys);
    const auto repeated = std::ranges::unique(keys);
    keys.erase(repeated.begin(), repeated.end());

    Pass pass(*this, {});
    for (const auto& key : keys) {
        if (!take_if_free(key)) co_await wait_for(key);
        pass.keys_.push_back(key);
    }
    co_return pass;
}

std::size_t Gate::waiting(const std::string& key) const {
    const auto taken = waiting_.find(key);
    return taken == waiting_.end() ? 0 : taken->second.size();
}

Task<> Gate::wait_for(const std::string& key) {
    bool passed = false;
    auto start = [&](Resume resume) { waiting_[key].push_back({.passed = &passed, .resume = std::move(resume)}); };
    auto on_cancel = [&](const Resume& resume) {
        std::erase_if(waiting_[key], [&](const Waiter& waiter) { return waiter.passed == &passed; });
        resume();
    };
    co_await suspend(loop_, start, on_cancel);
    if (!passed) throw boost::system::system_error(boost::asio::error::operation_aborted, "Gate::enter");
}

void Gate::leave(const std::string& key) {
    const auto taken = waiting_.find(key);
    if (taken == waiting_.end()) return;
    if (taken->second.empty()) {
        waiting_.erase(taken);
        return;
    }
    const Waiter next = std::move(taken->second.front());
    taken->second.pop_front();
    *next.passed = true; // the key stays taken and changes hands
    next.resume();
}

} // namespace credlease::runtime
