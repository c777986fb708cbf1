#pragma once

#include <functional>
#include <sys/types.h>

namespace credlease::tests {

/// A client that does harm: a process of another uid, killed when this dies. It runs at the kernel's lowest priority,
/// so that what others feel of it is the broker's doing and not the scheduler's.
class RudeClient {
  public:
    /// `life` tells by its argument that the harm is under way; this waits for that (`is_under_way`).
    RudeClient(unsigned uid, const std::function<void(const std::function<void()>& under_way)>& life);
    ~RudeClient();
    RudeClient(RudeClient&& other) noexcept;
    RudeClient& operator=(RudeClient&&) = delete;

    /// False when it died before.
    [[nodiscard]] bool is_under_way() const { return is_under_way_; }

  private:
    pid_t pid_ = 0;
    bool is_under_way_ = false;
};

} // namespace credlease::tests
