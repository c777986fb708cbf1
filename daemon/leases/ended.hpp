#pragma once

#include "leases/book.hpp"
#include "leases/chains.hpp"
#include "leases/texts.hpp"
#include "vocabulary/lease.hpp"

#include <functional>
#include <optional>

namespace credlease::leases {

/// Why leases ended: of the last 100,000, for 24 hours.
class EndedLeases {
  public:
    static constexpr std::size_t most = 100'000;
    static constexpr vocabulary::Duration known_for = Book::known_for;

    explicit EndedLeases(Texts& texts) : texts_(texts) {}

    struct End {
        vocabulary::LeaseId lease;
        vocabulary::CredentialId credential;
        std::string_view principal;
        std::string_view on_behalf_of;
        vocabulary::EndReason reason = vocabulary::EndReason::released;
        vocabulary::Time at{};
    };
    void note(const End& end, vocabulary::Time now);
    /// What ended more than 24 hours before `now` is not known.
    [[nodiscard]] std::optional<End> find(const vocabulary::LeaseId& lease, vocabulary::Time now) const;
    /// Has the end of this lease perhaps made room for later ones, within those 24 hours? Then only the log knows it.
    [[nodiscard]] bool may_have_forgotten(const vocabulary::LeaseId& lease, vocabulary::Time now) const;
    /// Those that are known, the oldest first.
    void visit(vocabulary::Time now, const std::function<void(const End&)>& show) const;

  private:
    struct Entry {
        vocabulary::LeaseId lease;
        vocabulary::CredentialId credential;
        vocabulary::Time at{};
        Slot principal = none;
        Slot on_behalf_of = none;
        Slot chain = none;
        Links in_line;
        vocabulary::EndReason reason = vocabulary::EndReason::released;
        [[nodiscard]] std::uint64_t hash() const { return std::hash<vocabulary::LeaseId>{}(lease); }
    };

    void forget_oldest();
    [[nodiscard]] End view(const Entry& entry) const;

    Texts& texts_;
    Slab<Entry> entries_;
    Chains<Entry> by_lease_;
    Line<&Entry::in_line> line_;
};

} // namespace credlease::leases
