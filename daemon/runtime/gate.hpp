#pragma once

#include "runtime/loop.hpp"
#include "runtime/task.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace credlease::runtime {

/// One change at a time to what a key names ("cred:…", "scope:workspace:acme"). Keys are taken in sorted order, so two
/// changes never wait for each other. First come, first served.
class Gate {
  public:
    explicit Gate(Loop& loop) : loop_(loop) {}

    class Pass {
      public:
        Pass() = default;
        Pass(Gate& gate, std::vector<std::string> keys) : gate_(&gate), keys_(std::move(keys)) {}
        Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)), keys_(std::move(other.keys_)) {}
        Pass& operator=(Pass&& other) noexcept;
        ~Pass() { leave(); }
        void leave();

      private:
        Gate* gate_ = nullptr;
        std::vector<std::string> keys_;
    };

    [[nodiscard]] Task<Pass> enter(std::vector<std::string> keys);

  private:
    void leave(const std::vector<std::string>& keys);

    Loop& loop_;
    std::unordered_map<std::string, std::deque<std::function<void()>>> waiting_; ///< present: taken
};

} // namespace credlease::runtime
