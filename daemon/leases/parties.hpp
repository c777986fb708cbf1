#pragma once

#include "leases/book.hpp"
#include "leases/chains.hpp"
#include "leases/texts.hpp"

namespace credlease::leases {

/// Who holds leases: a caller, for whom, by which grant, in which process.
struct Party {
    vocabulary::GrantId grant;
    Slot principal = none;    ///< text
    Slot on_behalf_of = none; ///< text
    Slot process = none;      ///< none: its leases are unbound
    std::uint32_t uid = 0;

    Slot chain = none, grant_chain = none;
    Slot first_lease = none;
    Links of_principal, of_process;

    [[nodiscard]] bool is_same(const Party& other) const;
    [[nodiscard]] std::uint64_t hash() const;
    [[nodiscard]] std::uint64_t grant_hash() const;
};

/// The parties that hold leases now, reached by principal, grant and process; what they share is kept once.
class Parties {
  public:
    explicit Parties(Texts& texts) : texts_(texts) {}

    /// The party of a lease, made where there is none.
    [[nodiscard]] Slot find_or_add(const Lease& lease);
    /// Forgets a party without leases, with its principal and process if it was their last. Returns that process.
    std::optional<Holder> remove_if_idle(Slot party);
    void count_lease(Slot party, bool more);

    [[nodiscard]] Party& operator[](Slot slot) { return parties_[slot]; }
    [[nodiscard]] const Party& operator[](Slot slot) const { return parties_[slot]; }
    /// Writes what the party knows of its leases into `lease`.
    void describe(Slot party, Lease& lease) const;
    [[nodiscard]] bool matches(Slot party, const Which& which) const;
    [[nodiscard]] std::uint32_t held_by(std::string_view principal) const;
    [[nodiscard]] std::string_view principal(Slot party) const { return texts_.view(parties_[party].principal); }

    /// Shows a superset of the parties that match, through the narrowest way in; false: `which` names no party.
    bool visit(const Which& which, const std::function<void(Slot)>& show) const;

  private:
    struct Principal {
        Slot key = none; ///< text
        Slot chain = none;
        Slot first_party = none;
        std::uint32_t leases = 0;
        static std::uint64_t hash_of(Slot text);
    };
    struct Process {
        Holder key;
        Slot chain = none;
        Slot first_party = none;
        static std::uint64_t hash_of(const Holder& holder);
    };

    [[nodiscard]] Slot find_principal(std::string_view principal) const;

    Texts& texts_;
    Slab<Party> parties_;
    Chains<Party> by_key_;
    Chains<Party, &Party::grant_chain, &Party::grant_hash> by_grant_; ///< those that have one
    Registry<Principal> principals_;
    Registry<Process> processes_;
};

} // namespace credlease::leases
