#include "broker/watched_leases.hpp"

#include <algorithm>
#include <chrono>

namespace credlease::broker {

vocabulary::Duration WatchedLeases::told_before(vocabulary::Duration term) {
    constexpr vocabulary::Duration most = std::chrono::minutes(1);
    return std::min(most, term / 5);
}

void WatchedLeases::watch(const leases::Lease& lease, vocabulary::Time now) {
    auto& watched = leases_[lease.id];
    expiring_.erase({watched.expiring_at, lease.id});
    watched = {.credential = lease.credential, .expiring_at = lease.expires_at - told_before(lease.expires_at - now)};
    expiring_.emplace(watched.expiring_at, lease.id);
    of_credential_.emplace(lease.credential, lease.id);
}

void WatchedLeases::forget(const vocabulary::LeaseId& id) {
    const auto found = leases_.find(id);
    if (found == leases_.end()) return;
    expiring_.erase({found->second.expiring_at, id});
    of_credential_.erase({found->second.credential, id});
    leases_.erase(found);
}

void WatchedLeases::clear() {
    leases_.clear();
    expiring_.clear();
    of_credential_.clear();
}

std::vector<vocabulary::LeaseId> WatchedLeases::of(const vocabulary::CredentialId& credential) const {
    std::vector<vocabulary::LeaseId> ids;
    auto at = of_credential_.lower_bound({credential, vocabulary::LeaseId()});
    for (; at != of_credential_.end() && at->first == credential; ++at) ids.push_back(at->second);
    return ids;
}

std::optional<vocabulary::LeaseId> WatchedLeases::take_expiring(vocabulary::Time now) {
    if (expiring_.empty() || expiring_.begin()->first > now) return std::nullopt;
    return expiring_.extract(expiring_.begin()).value().second;
}

std::optional<vocabulary::Time> WatchedLeases::next_expiring() const {
    return expiring_.empty() ? std::nullopt : std::optional(expiring_.begin()->first);
}

} // namespace credlease::broker
