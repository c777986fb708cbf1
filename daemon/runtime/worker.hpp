#pragma once

#include "runtime/loop.hpp"
#include "runtime/task.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>

namespace credlease::runtime {

/// A thread that blocks for the loop: one job at a time, in order. `log` writes the log, `commit` syncs it and writes
/// the store, `bulk` does Argon2id, scans and verification.
class Worker {
  public:
    /// Whether its jobs may take a CPU that leases want.
    enum class Place : std::uint8_t { among_leases, behind_leases };

    /// `name` shows in ps(1), at most 15 characters.
    Worker(Loop& loop, std::string_view name, Place place = Place::among_leases);
    ~Worker(); ///< finishes the jobs that were given, then joins
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// From the loop thread: runs `job` on this thread, then `done` on the loop.
    void submit(std::function<void()> job, std::function<void()> done);
    /// `co_await worker.run([]{ … })`: what the job returns, back on the loop. The job must not throw.
    template <class Job> [[nodiscard]] Task<std::invoke_result_t<Job>> run(Job job);
    /// Jobs given and not finished.
    [[nodiscard]] std::size_t waiting() const;

  private:
    struct State;
    [[nodiscard]] Task<> run_erased(std::function<void()> job);
    std::unique_ptr<State> state_;
};

template <class Job> Task<std::invoke_result_t<Job>> Worker::run(Job job) {
    using Value = std::invoke_result_t<Job>;
    if constexpr (std::is_void_v<Value>) {
        co_await run_erased(std::move(job));
    } else {
        auto value = std::make_shared<std::optional<Value>>();
        auto shared = std::make_shared<Job>(std::move(job));
        std::function<void()> erased = [value, shared] { value->emplace((*shared)()); };
        co_await run_erased(std::move(erased));
        co_return std::move(**value);
    }
}

} // namespace credlease::runtime
