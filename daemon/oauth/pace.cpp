#include "oauth/pace.hpp"

#include <algorithm>

namespace credlease::oauth {
namespace {

using namespace std::chrono_literals;
using runtime::BootTime;

constexpr std::chrono::milliseconds made_up_for = 100ms;

/// Requests in an hour, say: only to compare.
double rate_of(const catalog::Budget& budget) {
    return static_cast<double>(budget.requests) /
           static_cast<double>(std::max<vocabulary::Duration::rep>(budget.per.count(), 1));
}

} // namespace

catalog::Budget narrower(const catalog::Budget& one, const catalog::Budget& other) {
    const bool is_others = other.requests != 0 && (one.requests == 0 || rate_of(other) < rate_of(one));
    catalog::Budget both = is_others ? other : one;
    both.at_once = std::min(one.at_once, other.at_once);
    return both;
}

void Pace::narrow(const catalog::Budget& budget) {
    budget_ = narrower(budget_, budget);
    trim();
}

BootTime Pace::next() const {
    if (under_way_ >= budget_.at_once) return never;
    const bool is_used_up = budget_.requests != 0 && begun_.size() >= budget_.requests;
    return is_used_up ? std::max(held_until_, begun_.front() + budget_.per) : held_until_;
}

BootTime Pace::next_unasked() const { return std::max(next(), std::chrono::ceil<BootTime::duration>(apart_until_)); }

void Pace::begin(BootTime now) {
    ++under_way_;
    if (budget_.requests == 0) return;
    begun_.push_back(now);
    trim();
}

void Pace::begin_unasked(BootTime now, std::chrono::microseconds apart) {
    begin(now);
    apart_until_ = std::max<Apart>(apart_until_, now - made_up_for) + apart;
}

void Pace::note(BootTime begun) {
    if (budget_.requests == 0) return;
    begun_.insert(std::ranges::upper_bound(begun_, begun), begun);
    trim();
}

BootTime Pace::idle_at() const {
    if (under_way_ > 0) return never;
    const auto remembered = std::max(held_until_, std::chrono::ceil<BootTime::duration>(apart_until_) + made_up_for);
    return begun_.empty() ? remembered : std::max(remembered, begun_.back() + budget_.per);
}

void Pace::trim() {
    while (begun_.size() > budget_.requests) begun_.pop_front();
}

} // namespace credlease::oauth
