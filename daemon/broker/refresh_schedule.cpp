#include "broker/refresh_schedule.hpp"

#include "oauth/schedule.hpp"

#include <algorithm>

namespace credlease::broker {
namespace {

using oauth::Pace;
using runtime::BootTime;
using vocabulary::Time;

constexpr int moved_at_a_time = 256;                  ///< from the plan to their lanes: the loop has more to do
constexpr int looked_at_at_a_time = 256;              ///< lanes
constexpr std::chrono::milliseconds looks_apart{100}; ///< for room
// What is due is begun no faster than so many times the mean of its lane; but a lane of a few need not wait.
constexpr double times_the_mean = 2.25;
constexpr vocabulary::Duration first_rest = std::chrono::seconds(5);
constexpr vocabulary::Duration longest_rest = std::chrono::minutes(1);
constexpr double slowest_per_second = 5;
constexpr vocabulary::Duration longest_catching_up = std::chrono::minutes(30);
constexpr vocabulary::Duration catching_up_each = std::chrono::milliseconds(200);

vocabulary::Duration rest_after(std::uint32_t failures) {
    if (failures < 2) return {};
    return std::min(first_rest * (1U << std::min(failures - 2, 8U)), longest_rest);
}

std::chrono::microseconds apart_at(double per_second) {
    const double rate = std::max(times_the_mean * per_second, slowest_per_second);
    return std::chrono::microseconds(static_cast<std::int64_t>(1e6 / rate));
}

} // namespace

vocabulary::Duration RefreshSchedule::catching_up(std::size_t late) {
    return std::min(static_cast<std::int64_t>(late) * catching_up_each, longest_catching_up);
}

std::uint64_t RefreshSchedule::seed_of(const vocabulary::Scope& scope, const Id& id) { return member(scope, id).seed; }

RefreshSchedule::Member& RefreshSchedule::member(const vocabulary::Scope& scope, const Id& id) {
    const auto [at, is_new] = members_.try_emplace(id);
    auto& own = at->second;
    if (is_new) {
        own.id = &at->first;
        own.seed = seeds_++;
    }
    if (own.scope && *own.scope == scope) return own;
    if (!last_scope_ || *last_scope_ != scope) last_scope_ = std::make_shared<const vocabulary::Scope>(scope);
    own.scope = last_scope_;
    return own;
}

void RefreshSchedule::plan(const vocabulary::Scope& scope, const Id& id, const Client& client, const When& when) {
    auto& own = member(scope, id);
    if (own.stage > Stage::planned) return;
    join(own, client);
    own.unlink();
    own.at = when.at;
    own.is_late = when.is_late;
    const auto period = std::chrono::duration<float>(when.period).count();
    set_rate(own, period > 0 ? 1 / period : 0);
    planned_.insert(own);
    own.stage = Stage::planned;
}

void RefreshSchedule::plan_anew(const vocabulary::Scope& scope, const Id& id, const Client& client, When when,
                                Time wall, vocabulary::Duration room) {
    if (when.is_late && when.at <= wall) {
        if (when.period > vocabulary::Duration()) room = std::min(room, when.period / 2);
        when.at = oauth::place_in(wall, room, seed_of(scope, id));
    }
    plan(scope, id, client, when);
}

void RefreshSchedule::join(Member& member, const Client& client) {
    if (member.lane == nullptr || *member.lane->key != client.key) {
        leave(member);
        const auto at = lanes_.try_emplace(client.key, client.budget).first;
        member.lane = &at->second;
        member.lane->key = &at->first;
        ++member.lane->members;
    }
    member.room = static_cast<std::uint32_t>(client.room);
    member.lane->pace.narrow(client.budget);
    if (client.grant_budget) grants_.try_emplace(*member.id, *client.grant_budget);
}

void RefreshSchedule::leave(Member& member) {
    if (member.lane == nullptr) return;
    set_rate(member, 0);
    auto& lane = *std::exchange(member.lane, nullptr);
    --lane.members;
    wake(lane, wake_of(lane));
}

void RefreshSchedule::set_rate(Member& member, float per_second) {
    member.lane->per_second += double{per_second} - double{member.per_second};
    member.per_second = per_second;
}

void RefreshSchedule::note(const Id& id, BootTime begun) {
    const auto found = members_.find(id);
    if (found == members_.end() || found->second.lane == nullptr) return;
    found->second.lane->pace.note(begun);
    if (const auto grant = grants_.find(id); grant != grants_.end()) grant->second.note(begun);
}

void RefreshSchedule::forget(const Id& id) {
    const auto found = members_.find(id);
    if (found == members_.end() || found->second.stage > Stage::planned) return;
    found->second.unlink();
    leave(found->second);
    grants_.erase(id);
    members_.erase(found);
}

std::optional<BootTime> RefreshSchedule::ask(const vocabulary::Scope& scope, const Id& id, const Client& client,
                                             BootTime now, BootTime deadline) {
    auto& own = member(scope, id);
    if (own.stage > Stage::planned) return std::nullopt;
    join(own, client);
    if (const auto grant = grants_.find(id); grant != grants_.end() && grant->second.next() > now) {
        return grant->second.next();
    }
    const auto at = own.lane->pace.next();
    if (at != Pace::never && at > deadline) return at;
    own.unlink();
    own.stage = Stage::asked;
    own.lane->asked.push_back(&own);
    wake(*own.lane, wake_of(*own.lane));
    return std::nullopt;
}

std::optional<RefreshSchedule::Turn> RefreshSchedule::take(Time wall, BootTime now) {
    for (int i = 0; i < moved_at_a_time && !planned_.empty() && planned_.begin()->at <= wall; ++i) {
        auto& first = *planned_.begin();
        first.unlink();
        first.lane->due.insert(first);
        wake(*first.lane, wake_of(*first.lane));
    }
    for (int i = 0; i < looked_at_at_a_time && !wakes_.empty() && wakes_.begin()->first <= now; ++i) {
        auto& lane = *wakes_.begin()->second;
        if (auto* const next = next_in(lane, wall, now)) {
            if (!shares_.take(claim_of(*next))) {
                wake(lane, now + looks_apart);
                continue;
            }
            begin(*next, now);
            return Turn{.id = *next->id, .scope = next->scope};
        }
        wake(lane, wake_of(lane));
        const bool is_over = lane.members == 0 && lane.pace.idle_at() <= now;
        if (!is_over) continue;
        wake(lane, Pace::never);
        lanes_.erase(lanes_.find(*lane.key));
    }
    return std::nullopt;
}

/// Who is waited for, else the most urgent of what is due.
RefreshSchedule::Member* RefreshSchedule::next_in(Lane& lane, Time wall, BootTime now) {
    if (!lane.asked.empty() && lane.pace.next() <= now) return lane.asked.front();
    while (!lane.due.empty() && lane.pace.next_unasked() <= now) {
        auto& first = *lane.due.begin();
        const auto grant = grants_.find(*first.id);
        if (grant == grants_.end() || grant->second.next() <= now) return &first;
        first.unlink();
        first.at = wall + (grant->second.next() - now);
        planned_.insert(first);
    }
    return nullptr;
}

void RefreshSchedule::begin(Member& member, BootTime now) {
    auto& lane = *member.lane;
    if (member.stage == Stage::asked) {
        lane.asked.remove(&member);
        lane.pace.begin(now);
    } else {
        member.unlink();
        lane.pace.begin_unasked(now, apart_at(lane.per_second));
    }
    member.stage = Stage::begun;
    if (const auto grant = grants_.find(*member.id); grant != grants_.end()) grant->second.begin(now);
    wake(lane, wake_of(lane));
}

ExchangeShares::Claim RefreshSchedule::claim_of(const Member& member) {
    return {.owner = member.lane->key->owner, .host = member.lane->key->host, .bytes = member.room};
}

std::uint32_t RefreshSchedule::end(const Id& id, bool is_ok, BootTime now, vocabulary::Duration hold) {
    auto& own = members_.at(id);
    own.failures = is_ok ? 0 : own.failures + 1;
    own.rests_until = now + rest_after(own.failures);
    if (hold > vocabulary::Duration()) own.lane->pace.hold(now + hold);
    rest(own);
    return own.failures;
}

void RefreshSchedule::put_off(const Id& id) {
    auto& own = members_.at(id);
    own.failures = std::max(own.failures, 1U);
    rest(own);
}

void RefreshSchedule::rest(Member& member) {
    member.stage = Stage::resting;
    if (const auto grant = grants_.find(*member.id); grant != grants_.end()) grant->second.end();
    member.lane->pace.end();
    shares_.give_back(claim_of(member));
    wake(*member.lane, wake_of(*member.lane));
}

std::uint32_t RefreshSchedule::failures_of(const Id& id) const {
    const auto found = members_.find(id);
    return found == members_.end() ? 0 : found->second.failures;
}

BootTime RefreshSchedule::rests_until(const Id& id) const {
    const auto found = members_.find(id);
    return found == members_.end() ? BootTime() : found->second.rests_until;
}

BootTime RefreshSchedule::next_of(const Id& id) const {
    const auto found = members_.find(id);
    const bool is_known = found != members_.end() && found->second.lane != nullptr;
    return is_known ? found->second.lane->pace.next() : Pace::never;
}

BootTime RefreshSchedule::wake_of(const Lane& lane) const {
    if (!lane.asked.empty()) return lane.pace.next();
    if (!lane.due.empty()) return lane.pace.next_unasked();
    return lane.members == 0 ? lane.pace.idle_at() : Pace::never;
}

void RefreshSchedule::wake(Lane& lane, BootTime at) {
    if (lane.wake == at) return;
    if (lane.wake != Pace::never) wakes_.erase({lane.wake, &lane});
    lane.wake = at;
    if (at != Pace::never) wakes_.emplace(at, &lane);
}

std::optional<vocabulary::Duration> RefreshSchedule::wait(Time wall, BootTime now) const {
    std::optional<vocabulary::Duration> first;
    if (!planned_.empty()) first = planned_.begin()->at - wall;
    if (wakes_.empty()) return first;
    const auto lane = wakes_.begin()->first - now;
    return first ? std::min(*first, lane) : lane;
}

} // namespace credlease::broker
