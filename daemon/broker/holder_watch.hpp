#pragma once

#include "attestation/peer.hpp"
#include "leases/book.hpp"
#include "runtime/loop.hpp"

#include <functional>
#include <memory>
#include <unordered_map>

namespace credlease::broker {

/// Tells when a process that holds leases has exited: its pidfd becomes readable (pidfd_open(2)); nothing is polled.
class HolderWatch {
  public:
    HolderWatch(runtime::Loop& loop, std::function<void(const leases::Holder&)> exited);
    ~HolderWatch();
    HolderWatch(const HolderWatch&) = delete;
    HolderWatch& operator=(const HolderWatch&) = delete;

    /// Watches the peer's process, once however often it is told. False: it could not (no descriptor left).
    bool watch(const leases::Holder& holder, const attestation::Peer& peer);
    /// After a restart: the process by pid, if it is still the one that the lease remembers. False: it has gone.
    bool watch_again(const leases::Holder& holder);
    /// No lease of it is left.
    void forget(const leases::Holder& holder);

  private:
    struct Watched;
    struct HashOf {
        std::size_t operator()(const leases::Holder& holder) const noexcept {
            return std::hash<std::uint64_t>{}(holder.start_time * 0x9e3779b97f4a7c15ULL ^
                                              static_cast<std::uint64_t>(holder.pid));
        }
    };
    void start(const leases::Holder& holder, int pidfd);

    runtime::Loop& loop_;
    std::function<void(const leases::Holder&)> exited_;
    std::unordered_map<leases::Holder, std::unique_ptr<Watched>, HashOf> watched_;
};

} // namespace credlease::broker
