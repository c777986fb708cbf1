#pragma once

#include "runtime/loop.hpp"
#include "runtime/suspend.hpp"
#include "runtime/task.hpp"

#include <deque>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace credlease::runtime {

/// One change at a time to what a key names ("cred:…", "scope:workspace:acme"). Keys are taken in sorted order, so two
/// changes never wait for each other. First come, first served. The gate outlives its passes.
class Gate {
  public:
    explicit Gate(Loop& loop) : loop_(loop) {}
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;

    /// The keys are its holder's until it dies.
    class Pass {
      public:
        Pass() = default;
        Pass(Gate& gate, std::vector<std::string> keys) : gate_(&gate), keys_(std::move(keys)) {}
        Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)), keys_(std::move(other.keys_)) {}
        Pass& operator=(Pass&& other) noexcept;
        ~Pass() { leave(); }
        void leave();

      private:
        friend class Gate;
        Gate* gate_ = nullptr;
        std::vector<std::string> keys_;
    };

    /// Waits for all of `keys`. A task that is cancelled while it waits gets operation_aborted thrown, and holds
    /// nothing.
    [[nodiscard]] Task<Pass> enter(std::vector<std::string> keys);
    /// How many wait for a key that somebody holds.
    [[nodiscard]] std::size_t waiting(const std::string& key) const;

  private:
    struct Waiter {
        bool* passed; ///< in the waiting task; set when the key becomes its own
        Resume resume;
    };

    [[nodiscard]] bool take_if_free(const std::string& key) { return waiting_.try_emplace(key).second; }
    [[nodiscard]] Task<> wait_for(const std::string& key);
    void leave(const std::string& key);

    Loop& loop_;
    std::unordered_map<std::string, std::deque<Waiter>> waiting_; ///< present: taken
};

} // namespace credlease::runtime
