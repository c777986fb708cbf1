#pragma once

#include "leases/slab.hpp"
#include "vocabulary/lease.hpp"

#include <cstdint>
#include <functional>

namespace credlease::leases {

/// A live lease as the book keeps it. What several leases share (texts, credential, party) is a slot.
struct Row {
    vocabulary::LeaseId id;
    vocabulary::Time issued_at{};
    vocabulary::Time expires_at{};
    vocabulary::Time renewable_until{};
    std::uint64_t generation = 0;
    std::uint32_t version = 0;
    std::uint32_t fields = 0;
    std::uint32_t field_order = 0;
    Slot chain = none;
    Slot credential = none;
    Slot party = none;
    Slot scope = none, workflow = none, run = none, node = none;
    Links of_credential, of_party, on_wheel;
    std::uint16_t wheel_list = 0;
    bool claimed : 1 = true;
    bool live : 1 = false;
    vocabulary::LimitedBy limited_by = vocabulary::LimitedBy::ttl;

    [[nodiscard]] std::uint64_t hash() const { return std::hash<vocabulary::LeaseId>{}(id); }
};
static_assert(sizeof(Row) <= 120, "a live lease costs at most 150 bytes in all");

} // namespace credlease::leases
