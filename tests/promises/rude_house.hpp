#pragma once

#include "rude_lives.hpp"
#include "support/daemon/broker_client.hpp"
#include "support/daemon/rude_client.hpp"
#include "support/daemon/steady_worker.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <optional>
#include <thread>

namespace credlease::tests {

inline constexpr unsigned worker_uid = 65533;
inline constexpr unsigned rude_uid = 65534;

/// Says so where it can't.
[[nodiscard]] bool can_take_other_uids();

/// Whether it becomes true within five seconds.
template <class Claim> bool becomes_true(Claim claim) {
    for (int i = 0; i < 500; ++i) {
        if (claim()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return claim();
}

/// A broker with a well-behaved worker, to be put beside rude clients. At its end nothing is lost, and nothing is left
/// behind.
struct RudeHouse {
    Daemon daemon;
    Client client;
    std::string credential;
    std::optional<Lease> kept;
    std::ptrdiff_t open_before = 0; ///< descriptors of the broker
    std::optional<SteadyWorker> worker;

    RudeHouse();
    ~RudeHouse();
    RudeHouse(const RudeHouse&) = delete;
    RudeHouse& operator=(const RudeHouse&) = delete;

    [[nodiscard]] std::ptrdiff_t open_now() const;
    /// Stores so many credentials with 4,000 bytes of notes each, named n0, n1, …; a grant of them all.
    [[nodiscard]] std::string store_many(int count);
};

} // namespace credlease::tests
