#pragma once

#include "leases/parties.hpp"
#include "leases/wheel.hpp"

namespace credlease::leases {

/// The rows of all live leases with their ways in: by id, credential, party and time.
class Live {
  public:
    /// False: a lease of that id lives already.
    bool insert(const Lease& lease);
    void remove(Slot slot);
    /// New end, new delivery.
    void renew(Slot slot, const Book::Terms& terms);

    [[nodiscard]] Slot find(const vocabulary::LeaseId& id) const;
    [[nodiscard]] Lease view(Slot slot) const;
    [[nodiscard]] const vocabulary::LeaseId& id(Slot slot) const { return rows_[slot].id; }
    [[nodiscard]] std::size_t size() const { return by_id_.size(); }
    [[nodiscard]] std::size_t held_by(std::string_view principal) const { return parties_.held_by(principal); }
    /// Shows every lease that matches, in no order.
    void visit(const Which& which, const std::function<void(Slot)>& show) const;

    [[nodiscard]] Slot find_due(vocabulary::Time now, std::size_t& looks) { return wheel_.find_due(rows_, now, looks); }
    [[nodiscard]] std::optional<vocabulary::Time> next_expiry() const { return wheel_.next(); }

    [[nodiscard]] Texts& texts() { return texts_; }
    [[nodiscard]] const Texts& texts() const { return texts_; }

  private:
    struct Leased { ///< a credential that is leased
        vocabulary::CredentialId key;
        Slot chain = none;
        Slot first_lease = none;
        static std::uint64_t hash_of(const vocabulary::CredentialId& id) {
            return std::hash<vocabulary::CredentialId>{}(id);
        }
    };

    [[nodiscard]] bool matches(const Row& row, const Which& which) const;

    Texts texts_;
    Parties parties_{texts_};
    Registry<Leased> leased_;
    Slab<Row> rows_;
    Chains<Row> by_id_;
    Wheel wheel_;
};

} // namespace credlease::leases
