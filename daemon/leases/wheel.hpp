#pragma once

#include "leases/row.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace credlease::leases {

/// A hashed timing wheel of one-second slots (Varghese and Lauck, 1987): a lease is never taken before its time, and at
/// most a second after it. Leases further away than a turn of the wheel (68 minutes) are looked at once a turn.
class Wheel {
  public:
    Wheel();

    void insert(Slab<Row>& rows, Slot slot);
    void erase(Slab<Row>& rows, Slot slot);
    /// A lease whose time has come by `now`, to be erased before the next is asked for; `none`: there is no other, or
    /// `looks` (rows that may be looked at) is used up.
    [[nodiscard]] Slot find_due(Slab<Row>& rows, vocabulary::Time now, std::size_t& looks);
    /// When find_due() has something to look at; nullopt: the wheel is empty.
    [[nodiscard]] std::optional<vocabulary::Time> next() const;

  private:
    static constexpr std::int64_t seconds = 4096; ///< slots: one turn of the wheel
    static constexpr std::size_t words = seconds / 64;

    [[nodiscard]] static std::size_t slot_of(std::int64_t second) {
        return static_cast<std::size_t>(second) % static_cast<std::size_t>(seconds);
    }
    void push(Slab<Row>& rows, Slot slot);
    /// The first second from `from` to `until` whose slot holds leases; `until` + 1: none.
    [[nodiscard]] std::int64_t next_filled(std::int64_t from, std::int64_t until) const;

    // Lists change places rather than rows: a slot's list becomes the one being looked at in one step.
    std::array<Slot, seconds + 1> first_;
    std::array<std::uint16_t, seconds> list_of_;
    std::uint16_t due_ = seconds;               ///< the list being looked at
    std::array<std::uint64_t, words> filled_{}; ///< a bit a slot: may hold leases
    std::int64_t cursor_ = 0;                   ///< the next second to look at
    std::size_t size_ = 0;
};

} // namespace credlease::leases
