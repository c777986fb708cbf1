#pragma once

#include "vault/vault.hpp"

#include <set>
#include <utility>

namespace credlease::vault {

/// Whose `expires_at` is still to be told, in the order of their times. It views the entries, which keep their address
/// while they are in an index.
class Ends {
  public:
    void add(const Entry& entry) {
        if (entry.credential.expires_at) waiting_.emplace(*entry.credential.expires_at, &entry);
    }
    /// False: it was told already, or has no end.
    bool drop(const Entry& entry) {
        const auto& at = entry.credential.expires_at;
        return at && waiting_.erase({*at, &entry}) != 0;
    }
    [[nodiscard]] std::optional<vocabulary::Time> next() const {
        return waiting_.empty() ? std::nullopt : std::optional(waiting_.begin()->first);
    }
    /// The first whose time has come, no longer waiting; nullptr: none.
    [[nodiscard]] const Entry* take(vocabulary::Time now) {
        if (waiting_.empty() || waiting_.begin()->first > now) return nullptr;
        return waiting_.extract(waiting_.begin()).value().second;
    }

  private:
    std::set<std::pair<vocabulary::Time, const Entry*>> waiting_;
};

} // namespace credlease::vault
