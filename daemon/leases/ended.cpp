#include "leases/ended.hpp"

namespace credlease::leases {

namespace {

/// An id tells the wall's time, an end the time line of leases; the wall's clock may have been set since.
constexpr vocabulary::Duration clocks_apart = std::chrono::hours(1);

} // namespace

void EndedLeases::forget_oldest() {
    const Slot slot = line_.oldest;
    line_.remove(entries_, slot);
    by_lease_.erase(entries_, slot);
    texts_.release(entries_[slot].principal);
    texts_.release(entries_[slot].on_behalf_of);
    entries_.give_back(slot);
}

void EndedLeases::note(const End& end, vocabulary::Time now) {
    if (end.at + known_for < now) return;
    // Two at a time at most, so that a long quiet time is never paid for at once.
    for (int i = 0; i < 2 && line_.size > 0; ++i) {
        const bool stale = entries_[line_.oldest].at + known_for < now;
        if (stale || line_.size == most) forget_oldest();
    }
    const Slot slot = entries_.take();
    Entry& entry = entries_[slot];
    entry.lease = end.lease;
    entry.credential = end.credential;
    entry.principal = texts_.keep(end.principal);
    entry.on_behalf_of = texts_.keep(end.on_behalf_of);
    entry.reason = end.reason;
    entry.at = end.at;
    by_lease_.insert(entries_, slot); // before an older end of the same lease
    line_.append(entries_, slot);
}

std::optional<EndedLeases::End> EndedLeases::find(const vocabulary::LeaseId& lease, vocabulary::Time now) const {
    const Slot slot = by_lease_.find(entries_, std::hash<vocabulary::LeaseId>{}(lease),
                                     [&](const Entry& entry) { return entry.lease == lease; });
    if (slot == none || entries_[slot].at + known_for < now) return std::nullopt;
    return view(entries_[slot]);
}

bool EndedLeases::may_have_forgotten(const vocabulary::LeaseId& lease, vocabulary::Time now) const {
    if (line_.size < most) return false; // nothing had to go before its time
    const vocabulary::Time oldest = entries_[line_.oldest].at;
    const vocabulary::Time made(std::chrono::milliseconds(lease.value().milliseconds()));
    return oldest + known_for >= now && made <= oldest + clocks_apart;
}

void EndedLeases::visit(vocabulary::Time now, const std::function<void(const End&)>& show) const {
    for (Slot slot = line_.oldest; slot != none; slot = entries_[slot].in_line.before) {
        if (entries_[slot].at + known_for >= now) show(view(entries_[slot]));
    }
}

EndedLeases::End EndedLeases::view(const Entry& entry) const {
    return {.lease = entry.lease,
            .credential = entry.credential,
            .principal = texts_.view(entry.principal),
            .on_behalf_of = texts_.view(entry.on_behalf_of),
            .reason = entry.reason,
            .at = entry.at};
}

} // namespace credlease::leases
