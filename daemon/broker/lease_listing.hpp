#pragma once

#include "broker/asker.hpp"
#include "broker/unsealed.hpp"
#include "leases/book.hpp"

#include <optional>
#include <vector>

namespace credlease::broker {

/// GET /v1/leases: the caller's own; an operator's: all that match. In the order of ids, found in slices between which
/// leases come and go.
class LeaseListing {
  public:
    /// From behind `after`, at most `limit`.
    LeaseListing(const Unsealed& house, const Asker& asker, leases::Which which, const vocabulary::LeaseId& after,
                 std::size_t limit);

    /// Looks at some leases, some 20 microseconds' worth. False: all are found.
    [[nodiscard]] bool look_on(const Unsealed& house, const Asker& asker);
    [[nodiscard]] const std::vector<vocabulary::LeaseId>& found() const { return found_; }
    [[nodiscard]] bool has_more() const { return has_more_; } ///< behind those that were found

  private:
    std::vector<vocabulary::LeaseId> ahead_; ///< to be looked at: a heap, the least on top
    std::vector<vocabulary::LeaseId> found_;
    std::size_t limit_;
    bool has_more_ = false;
};

/// The lease, where it lives still and a list of this asker's holds it.
[[nodiscard]] std::optional<leases::Lease> find_listed(const Unsealed& house, const Asker& asker,
                                                       const vocabulary::LeaseId& id);

} // namespace credlease::broker
