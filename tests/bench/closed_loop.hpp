#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace credlease::bench {

/// What one connection asks of a server, and how the answers are told apart.
class Protocol {
  public:
    virtual ~Protocol() = default;
    /// The next request; its bytes stay until the next call.
    [[nodiscard]] virtual std::string_view request() = 0;
    /// Size of the whole reply that `received` begins with; 0 while that can't be told.
    [[nodiscard]] virtual std::size_t reply_size(std::string_view received) const = 0;
    /// Is it the answer to what was asked last?
    [[nodiscard]] virtual bool check(std::string_view reply) = 0;
};

/// What a run brought.
struct Outcome {
    std::vector<std::uint32_t> nanoseconds; ///< of each request that was answered well, unordered
    std::uint64_t errors = 0;               ///< wrong answers and lost connections
    double seconds = 0;
    std::size_t request_size = 0, reply_size = 0; ///< of the last one
    std::string complaint;                        ///< the first wrong answer
};

/// When the next request is sent, and when no further one.
struct End {
    std::chrono::nanoseconds time = std::chrono::nanoseconds::max();
    std::uint64_t requests = UINT64_MAX; ///< of each connection
    std::chrono::nanoseconds beat{0};    ///< from one request of a connection to its next; 0: as soon as it is answered
};

/// Connects `connections` times to a Unix socket and has at most one request outstanding on each, until `end`. Each
/// connection has a thread that blocks, as a worker would: what a client saves by asking for many at a time would
/// flatter the cheaper server. Every request that was sent is in the outcome.
[[nodiscard]] Outcome run_closed_loop(const std::string& socket, std::size_t connections, End end,
                                      const std::function<std::unique_ptr<Protocol>(std::size_t connection)>& make);

} // namespace credlease::bench
