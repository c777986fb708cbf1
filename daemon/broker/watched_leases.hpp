#pragma once

#include "leases/book.hpp"

#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

namespace credlease::broker {

/// The live leases whose holders listen: when each is said to be about to end, and which are of one credential.
class WatchedLeases {
  public:
    /// Issued, renewed or seen at `now`.
    void watch(const leases::Lease& lease, vocabulary::Time now);
    void forget(const vocabulary::LeaseId& id);
    void clear();

    [[nodiscard]] std::vector<vocabulary::LeaseId> of(const vocabulary::CredentialId& credential) const;
    /// One whose end is near, each once until it is watched anew; nullopt: none.
    [[nodiscard]] std::optional<vocabulary::LeaseId> take_expiring(vocabulary::Time now);
    [[nodiscard]] std::optional<vocabulary::Time> next_expiring() const;

    /// How long before its end a lease is said to be expiring: whoever renews does so after two thirds of the time, so
    /// that only those are told who failed to; a minute is enough to do it now, or to finish.
    [[nodiscard]] static vocabulary::Duration told_before(vocabulary::Duration term);

  private:
    struct Watched {
        vocabulary::CredentialId credential;
        vocabulary::Time expiring_at{};
    };

    std::unordered_map<vocabulary::LeaseId, Watched> leases_;
    std::set<std::pair<vocabulary::Time, vocabulary::LeaseId>> expiring_;
    std::set<std::pair<vocabulary::CredentialId, vocabulary::LeaseId>> of_credential_;
};

} // namespace credlease::broker
