#pragma once

#include "support/daemon/daemon.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace credlease::tests {

/// Where the machine has more than one, `task` runs on that CPU alone: for measurements of who waits for whom.
void keep_to_cpu(pid_t task, std::size_t cpu);

/// A well-behaved worker in a process of its own, under a uid of its own: it leases and releases one credential on one
/// connection, over and over, and says how it was served.
class SteadyWorker {
  public:
    /// What the worker saw between `begin` and `end`.
    struct Served {
        std::uint64_t leases = 0;
        std::uint64_t failures = 0; ///< refused, or not answered within ten seconds
        std::chrono::microseconds median{};
        std::chrono::microseconds p99{}; ///< of a lease, from its request to its answer
        std::chrono::microseconds longest{};
        /// Of a worker that asks at a steady beat and waits for no answer: one that waits asks less often just then.
        std::chrono::microseconds p99_of_beat{};

        /// How many times as long as in `idle`, by p99 or by the median, whichever grew more.
        [[nodiscard]] double slowed_from(const Served& idle) const;
    };

    /// Of several measurements, each figure that of the middle one; of leases and failures the sum.
    [[nodiscard]] static Served middle_of(const std::vector<Served>& rounds);

    /// Connects; the credential must be one that the grant or, without one, a [[worker]] rule of that uid reaches.
    SteadyWorker(const Daemon& daemon, unsigned uid, const std::string& credential, const std::string& grant = {});
    ~SteadyWorker();
    SteadyWorker(const SteadyWorker&) = delete;
    SteadyWorker& operator=(const SteadyWorker&) = delete;

    void begin() const;
    [[nodiscard]] Served end() const;
    /// Works for so long, and says how it was.
    [[nodiscard]] Served work_for(std::chrono::milliseconds time) const;

  private:
    int commands_ = -1;
    pid_t pid_ = 0;
};

} // namespace credlease::tests
