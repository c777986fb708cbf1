#pragma once

#include "credlease/client.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace credlease::test {

constexpr auto lease_id = "lease_01j00000000000000000000000";
constexpr auto credential_id = "cred_01j00000000000000000000000";

/// What the broker tells of them, as it comes over a stream.
[[nodiscard]] std::string event(const std::string& type, const std::string& id, const std::string& members);
[[nodiscard]] std::string ended(const std::string& id, const std::string& reason = "credential_revoked");
[[nodiscard]] std::string rotated(const std::string& id, int version);
/// A renewal that brings a new secret of that version.
[[nodiscard]] std::string renewed(int version, double seconds = 900);

/// What a lease's callback was told, in its order.
class Told {
  public:
    void take(const LeaseChange& change);
    std::optional<LeaseChange> next(std::chrono::milliseconds patience = std::chrono::seconds(10));

  private:
    std::mutex lock_;
    std::condition_variable came_;
    std::deque<LeaseChange> changes_;
};

/// Within ten seconds.
template <class Holds> [[nodiscard]] bool comes_true(Holds holds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!holds() && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return holds();
}

} // namespace credlease::test
