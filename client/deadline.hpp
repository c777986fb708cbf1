#pragma once

#include <algorithm>
#include <chrono>

namespace credlease::client {

/// The moment until which an exchange may take.
class Deadline {
  public:
    using Clock = std::chrono::steady_clock;
    explicit Deadline(std::chrono::milliseconds after) : at_(Clock::now() + after) {}

    [[nodiscard]] std::chrono::milliseconds left() const {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(at_ - Clock::now());
        return std::max(left, std::chrono::milliseconds(0));
    }
    [[nodiscard]] bool has_passed() const { return left().count() == 0; }
    /// The earlier of this one and `after` from now.
    [[nodiscard]] Deadline or_after(std::chrono::milliseconds after) const { return Deadline(std::min(left(), after)); }

  private:
    Clock::time_point at_;
};

} // namespace credlease::client
