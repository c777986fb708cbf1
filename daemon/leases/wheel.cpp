#include "leases/wheel.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

namespace credlease::leases {
namespace {

/// The second at whose beginning the lease's time has come.
std::int64_t second_of(const Row& row) {
    return std::chrono::ceil<std::chrono::seconds>(row.expires_at).time_since_epoch().count();
}

std::int64_t second_of(vocabulary::Time time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

} // namespace

Wheel::Wheel() {
    first_.fill(none);
    std::iota(list_of_.begin(), list_of_.end(), std::uint16_t{0});
}

void Wheel::push(Slab<Row>& rows, Slot slot) {
    const std::int64_t second = second_of(rows[slot]);
    const std::size_t place = slot_of(second);
    const bool late = second < cursor_;
    if (!late) filled_[place / 64] |= std::uint64_t{1} << (place % 64);
    rows[slot].wheel_list = late ? due_ : list_of_[place];
    push_front<&Row::on_wheel>(rows, first_[rows[slot].wheel_list], slot);
}

void Wheel::insert(Slab<Row>& rows, Slot slot) {
    if (size_ == 0) cursor_ = second_of(rows[slot].issued_at);
    ++size_;
    push(rows, slot);
}

void Wheel::erase(Slab<Row>& rows, Slot slot) {
    unlink<&Row::on_wheel>(rows, first_[rows[slot].wheel_list], slot);
    --size_;
}

std::int64_t Wheel::next_filled(std::int64_t from, std::int64_t until) const {
    std::int64_t second = from;
    while (second <= until) {
        const std::size_t place = slot_of(second);
        const std::uint64_t ahead = filled_[place / 64] >> (place % 64);
        if (ahead == 0) {
            second += static_cast<std::int64_t>(64 - place % 64);
            continue;
        }
        second += std::countr_zero(ahead);
        if (second <= until && first_[list_of_[slot_of(second)]] != none) return second;
        ++second; // its leases ended before their time
    }
    return until + 1;
}

Slot Wheel::find_due(Slab<Row>& rows, vocabulary::Time now, std::size_t& looks) {
    const std::int64_t second = second_of(now);
    cursor_ = std::clamp(cursor_, second - seconds + 1, second + 1); // the clock may have been set, either way
    while (true) {
        while (first_[due_] != none) {
            if (looks == 0) return none;
            --looks;
            const Slot slot = first_[due_];
            if (rows[slot].expires_at <= now) return slot;
            unlink<&Row::on_wheel>(rows, first_[due_], slot);
            push(rows, slot); // a later turn of the wheel
        }
        cursor_ = next_filled(cursor_, second);
        if (cursor_ > second) return none;
        const std::size_t place = slot_of(cursor_++);
        std::swap(list_of_[place], due_);
        filled_[place / 64] &= ~(std::uint64_t{1} << (place % 64));
    }
}

std::optional<vocabulary::Time> Wheel::next() const {
    if (size_ == 0) return std::nullopt;
    const std::int64_t second = first_[due_] != none ? cursor_ - 1 : next_filled(cursor_, cursor_ + seconds - 1);
    return vocabulary::Time(std::chrono::seconds(second));
}

} // namespace credlease::leases
