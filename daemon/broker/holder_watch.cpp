#include "broker/holder_watch.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <fcntl.h>

namespace credlease::broker {

struct HolderWatch::Watched {
    explicit Watched(boost::asio::io_context& context, int pidfd) : descriptor(context, pidfd) {}
    boost::asio::posix::stream_descriptor descriptor;
};

HolderWatch::HolderWatch(runtime::Loop& loop, std::function<void(const leases::Holder&)> exited)
    : loop_(loop), exited_(std::move(exited)) {}

HolderWatch::~HolderWatch() = default;

bool HolderWatch::watch(const leases::Holder& holder, const attestation::Peer& peer) {
    if (watched_.contains(holder)) return true;
    const int copy = ::fcntl(peer.pidfd.number(), F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return false;
    start(holder, copy);
    return true;
}

bool HolderWatch::watch_again(const leases::Holder& holder) {
    if (watched_.contains(holder)) return true;
    const auto pidfd = attestation::open_process(holder.pid, holder.start_time);
    if (!pidfd.open()) return false;
    const int copy = ::fcntl(pidfd.number(), F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return false;
    start(holder, copy);
    return true;
}

void HolderWatch::start(const leases::Holder& holder, int pidfd) {
    auto watched = std::make_unique<Watched>(loop_.context(), pidfd);
    watched->descriptor.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                                   [this, holder](const boost::system::error_code& failed) {
                                       if (failed) return; // forgotten, or the watch itself has gone
                                       watched_.erase(holder);
                                       exited_(holder);
                                   });
    watched_.emplace(holder, std::move(watched));
}

void HolderWatch::forget(const leases::Holder& holder) { watched_.erase(holder); }

} // namespace credlease::broker
