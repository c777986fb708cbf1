#pragma once

#include "attestation/peer.hpp"
#include "leases/book.hpp"
#include "runtime/loop.hpp"

#include <functional>
#include <list>
#include <memory>
#include <unordered_map>

namespace credlease::broker {

/// Tells when a process that holds leases has exited: its pidfd becomes readable (pidfd_open(2)); nothing is polled.
/// Who leases and releases in turn is watched on: the last few processes without a lease keep their descriptor.
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
    void rest(const leases::Holder& holder);
    [[nodiscard]] std::size_t size() const { return watched_.size(); }

    static constexpr std::size_t resting_most = 64;

  private:
    struct Watched;
    struct HashOf {
        std::size_t operator()(const leases::Holder& holder) const noexcept {
            return std::hash<std::uint64_t>{}(holder.start_time * 0x9e3779b97f4a7c15ULL ^
                                              static_cast<std::uint64_t>(holder.pid));
        }
    };
    using Line = std::list<leases::Holder>;
    void start(const leases::Holder& holder, int pidfd);
    [[nodiscard]] bool is_watched(const leases::Holder& holder);
    [[nodiscard]] int copy_of(int pidfd);
    void forget(const leases::Holder& holder);

    runtime::Loop& loop_;
    std::function<void(const leases::Holder&)> exited_;
    std::unordered_map<leases::Holder, std::unique_ptr<Watched>, HashOf> watched_;
    Line busy_, resting_; ///< each watched process is in one of them; the first has rested longest
};

} // namespace credlease::broker
