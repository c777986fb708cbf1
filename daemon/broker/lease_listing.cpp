#include "broker/lease_listing.hpp"

#include "broker/held_lease.hpp"

#include <algorithm>
#include <functional>

namespace credlease::broker {
namespace {

constexpr std::size_t looks_a_slice = 64;

} // namespace

std::optional<leases::Lease> find_listed(const Unsealed& house, const Asker& asker, const vocabulary::LeaseId& id) {
    auto lease = house.book.find(id);
    // Of what has reached its end the wheel may not have heard yet.
    if (!lease || lease->expires_at <= house.time.now()) return std::nullopt;
    if (!asker.caller->is_operator() && !is_own(house, asker, *lease)) return std::nullopt;
    return lease;
}

LeaseListing::LeaseListing(const Unsealed& house, const Asker& asker, leases::Which which,
                           const vocabulary::LeaseId& after, std::size_t limit)
    : limit_(limit) {
    if (!asker.caller->is_operator()) which.principal = asker.caller->principal;
    ahead_ = house.book.matching(which);
    std::erase_if(ahead_, [&](const auto& id) { return id <= after; });
    std::ranges::make_heap(ahead_, std::greater<>{});
}

bool LeaseListing::look_on(const Unsealed& house, const Asker& asker) {
    for (std::size_t looks = 0; looks < looks_a_slice && !ahead_.empty(); ++looks) {
        std::ranges::pop_heap(ahead_, std::greater<>{});
        const auto id = ahead_.back();
        ahead_.pop_back();
        if (!find_listed(house, asker, id)) continue;
        has_more_ = found_.size() == limit_;
        if (has_more_) return false;
        found_.push_back(id);
    }
    return !ahead_.empty();
}

} // namespace credlease::broker
