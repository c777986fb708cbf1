#include "broker/holder_watch.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <cerrno>
#include <fcntl.h>
#include <utility>

namespace credlease::broker {

struct HolderWatch::Watched {
    Watched(boost::asio::io_context& context, int pidfd, Line::iterator in_line)
        : descriptor(context, pidfd), place(in_line) {}
    boost::asio::posix::stream_descriptor descriptor;
    Line::iterator place;
    bool is_resting = false;
};

HolderWatch::HolderWatch(runtime::Loop& loop, std::function<void(const leases::Holder&)> exited)
    : loop_(loop), exited_(std::move(exited)) {}

HolderWatch::~HolderWatch() = default;

bool HolderWatch::watch(const leases::Holder& holder, const attestation::Peer& peer) {
    if (is_watched(holder)) return true;
    const int copy = copy_of(peer.pidfd.number());
    if (copy < 0) return false;
    start(holder, copy);
    return true;
}

bool HolderWatch::watch_again(const leases::Holder& holder) {
    if (is_watched(holder)) return true;
    const auto pidfd = attestation::open_process(holder.pid, holder.start_time);
    if (!pidfd.open()) return false;
    const int copy = copy_of(pidfd.number());
    if (copy < 0) return false;
    start(holder, copy);
    return true;
}

void HolderWatch::start(const leases::Holder& holder, int pidfd) {
    auto watched = std::make_unique<Watched>(loop_.context(), pidfd, busy_.insert(busy_.end(), holder));
    watched->descriptor.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                                   [this, holder](const boost::system::error_code& failed) {
                                       if (failed) return;         // forgotten, or the watch itself has gone
                                       const auto exited = holder; // what is captured goes with the watch
                                       forget(exited);
                                       exited_(exited);
                                   });
    watched_.emplace(holder, std::move(watched));
}

bool HolderWatch::is_watched(const leases::Holder& holder) {
    const auto found = watched_.find(holder);
    if (found == watched_.end()) return false;
    auto& watched = *found->second;
    if (std::exchange(watched.is_resting, false)) busy_.splice(busy_.end(), resting_, watched.place);
    return true;
}

/// Where no descriptor is left, those that rest give theirs.
int HolderWatch::copy_of(int pidfd) {
    int copy = ::fcntl(pidfd, F_DUPFD_CLOEXEC, 0);
    while (copy < 0 && errno == EMFILE && !resting_.empty()) {
        forget(leases::Holder(resting_.front()));
        copy = ::fcntl(pidfd, F_DUPFD_CLOEXEC, 0);
    }
    return copy;
}

void HolderWatch::rest(const leases::Holder& holder) {
    const auto found = watched_.find(holder);
    if (found == watched_.end()) return;
    auto& watched = *found->second;
    if (std::exchange(watched.is_resting, true)) return;
    resting_.splice(resting_.end(), busy_, watched.place);
    if (resting_.size() > resting_most) forget(leases::Holder(resting_.front()));
}

void HolderWatch::forget(const leases::Holder& holder) {
    const auto found = watched_.find(holder);
    if (found == watched_.end()) return;
    auto& line = found->second->is_resting ? resting_ : busy_;
    line.erase(found->second->place);
    watched_.erase(found);
}

} // namespace credlease::broker
