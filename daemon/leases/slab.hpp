#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace credlease::leases {

/// A row's place in its slab: four bytes where a pointer takes eight.
using Slot = std::uint32_t;
inline constexpr Slot none = ~Slot{0};

/// Rows in chunks that never move: growing costs one chunk, never a copy of what is there, and a row that was given
/// back is the next to be taken. Row has a `Slot chain`, in which the free list runs. Rows are not destroyed one by
/// one: they hold plain values.
template <class Row> class Slab {
  public:
    [[nodiscard]] Slot take() {
        if (free_ != none) {
            const Slot slot = free_;
            free_ = (*this)[slot].chain;
            (*this)[slot] = Row{};
            return slot;
        }
        if (made_ % chunk_rows == 0) chunks_.push_back(std::make_unique<std::array<Row, chunk_rows>>());
        return made_++;
    }
    void give_back(Slot slot) {
        (*this)[slot] = Row{};
        (*this)[slot].chain = free_;
        free_ = slot;
    }
    [[nodiscard]] Row& operator[](Slot slot) { return (*chunks_[slot / chunk_rows])[slot % chunk_rows]; }
    [[nodiscard]] const Row& operator[](Slot slot) const { return (*chunks_[slot / chunk_rows])[slot % chunk_rows]; }
    /// Slots below this have been taken at least once.
    [[nodiscard]] Slot made() const { return made_; }

  private:
    static constexpr Slot chunk_rows = 256;

    std::vector<std::unique_ptr<std::array<Row, chunk_rows>>> chunks_;
    Slot made_ = 0;
    Slot free_ = none;
};

/// A row's neighbors in one doubly linked list.
struct Links {
    Slot before = none;
    Slot behind = none;
};

template <auto Member, class Row> void push_front(Slab<Row>& rows, Slot& first, Slot slot) {
    (rows[slot].*Member) = {.before = none, .behind = first};
    if (first != none) (rows[first].*Member).before = slot;
    first = slot;
}

template <auto Member, class Row> void unlink(Slab<Row>& rows, Slot& first, Slot slot) {
    const Links links = rows[slot].*Member;
    if (links.before != none) (rows[links.before].*Member).behind = links.behind;
    if (links.behind != none) (rows[links.behind].*Member).before = links.before;
    if (first == slot) first = links.behind;
    rows[slot].*Member = {};
}

/// Rows in the order in which they came.
template <auto Member> struct Line {
    Slot newest = none;
    Slot oldest = none;
    std::size_t size = 0;

    template <class Row> void append(Slab<Row>& rows, Slot slot) {
        push_front<Member>(rows, newest, slot);
        if (oldest == none) oldest = slot;
        ++size;
    }
    template <class Row> void remove(Slab<Row>& rows, Slot slot) {
        if (oldest == slot) oldest = (rows[slot].*Member).before;
        unlink<Member>(rows, newest, slot);
        --size;
    }
};

} // namespace credlease::leases
