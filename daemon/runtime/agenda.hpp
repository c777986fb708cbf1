#pragma once

#include "runtime/boot_time.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

namespace credlease::runtime {

/// What a clock has to do and when: calls in order of their time, then of their coming.
class Agenda {
  public:
    /// The number that `remove` takes; never 0.
    std::uint64_t add(BootTime when, std::function<void()> job);
    void remove(std::uint64_t call);
    [[nodiscard]] std::optional<BootTime> next() const;
    /// Runs what is due, but nothing that is added meanwhile: a job that asks for "now" waits for the next run.
    void run_due(BootTime now);

  private:
    std::map<std::pair<BootTime, std::uint64_t>, std::function<void()>> calls_;
    std::unordered_map<std::uint64_t, BootTime> times_;
    std::uint64_t last_ = 0;
};

} // namespace credlease::runtime
