#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace credlease::client {

/// Tells a thread that waits, from another one, to wait no longer.
class Interruption {
  public:
    void come() {
        const std::lock_guard alone(lock_);
        has_come_ = true;
        changed_.notify_all();
    }
    [[nodiscard]] bool has_come() const { return has_come_; }
    /// Waits that long at most; true as soon as it has come.
    [[nodiscard]] bool comes_within(std::chrono::milliseconds time) {
        std::unique_lock alone(lock_);
        return changed_.wait_for(alone, time, [this] { return has_come(); });
    }

  private:
    std::mutex lock_;
    std::condition_variable changed_;
    std::atomic<bool> has_come_{false};
};

} // namespace credlease::client
