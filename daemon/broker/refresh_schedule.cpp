#include "broker/refresh_schedule.hpp"

#include "oauth/schedule.hpp"

#include <algorithm>
#include <limits>

namespace credlease::broker {
namespace {

using oauth::Pace;
using runtime::BootTime;
using vocabulary::Time;

constexpr int moved_at_a_time = 256;                  ///< from the plan to their lanes: the loop has more to do
constexpr int looked_at_at_a_time = 256;              ///< queues
constexpr std::chrono::milliseconds looks_apart{100}; ///< for room, where none was given back meanwhile
// What is due is begun no faster than so many times the mean of its lane; but a lane of a few need not wait.
constexpr double times_the_mean = 2.25;
constexpr int most_failures = std::numeric_limits<std::uint16_t>::max(); ///< that are counted
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
    own.scope = scopes_.hold(scope);
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
    const auto [at, is_new] = lanes_.try_emplace(marks_.of(client.key));
    auto& lane = at->second;
    if (is_new) {
        lane.common = commons_.hold({.owner = client.key.owner, .host = client.key.host, .budget = client.budget});
    }
    if (member.client != &*at) {
        leave(member);
        member.client = &*at;
        ++lane.members;
        if (member.stage == Stage::planned) planned_.insert(member);
    }
    narrow(lane, client.budget);
    member.room = static_cast<std::uint32_t>(std::min(client.room, shares_.all()));
    if (client.grant_budget) grants_.try_emplace(*member.id, *client.grant_budget);
}

void RefreshSchedule::leave(Member& member) {
    member.unlink();
    if (member.client == nullptr) return;
    set_rate(member, 0);
    auto& [mark, lane] = *std::exchange(member.client, nullptr);
    --lane.members;
    if (lane.queue) {
        place(*lane.queue);
    } else if (lane.members == 0) {
        lanes_.erase(lanes_.find(mark));
    }
}

void RefreshSchedule::narrow(Lane& lane, const catalog::Budget& budget) {
    auto common = *lane.common;
    common.budget = oauth::narrower(common.budget, budget);
    if (common == *lane.common) return;
    if (lane.queue) lane.queue->pace.narrow(common.budget);
    lane.common = commons_.hold(common);
}

void RefreshSchedule::set_rate(Member& member, float per_second) {
    member.client->second.per_second += double{per_second} - double{member.per_second};
    member.per_second = per_second;
}

RefreshSchedule::Queue& RefreshSchedule::queue_of(Member& member) {
    auto& queue = member.client->second.queue;
    if (!queue) queue = std::make_unique<Queue>(*member.client);
    return *queue;
}

void RefreshSchedule::note(const Id& id, BootTime begun) {
    const auto found = members_.find(id);
    if (found == members_.end() || found->second.client == nullptr) return;
    if (found->second.client->second.common->budget.requests > 0) {
        auto& queue = queue_of(found->second);
        queue.pace.note(begun);
        place(queue);
    }
    if (const auto grant = grants_.find(id); grant != grants_.end()) grant->second.note(begun);
}

void RefreshSchedule::forget(const Id& id) {
    const auto found = members_.find(id);
    if (found == members_.end() || found->second.stage > Stage::planned) return;
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
    const auto at = own.client->second.next();
    if (at != Pace::never && at > deadline) return at;
    own.unlink();
    own.stage = Stage::asked;
    auto& queue = queue_of(own);
    queue.asked.push_back(&own);
    place(queue);
    return std::nullopt;
}

std::optional<RefreshSchedule::Turn> RefreshSchedule::take(Time wall, BootTime now) {
    for (int i = 0; i < moved_at_a_time && !planned_.empty() && planned_.begin()->at <= wall; ++i) {
        fall_due(*planned_.begin(), now);
    }
    let_go(now);
    for (int i = 0; i < looked_at_at_a_time && !roomless_.empty() && roomless_.begin()->at <= now; ++i) {
        place(*roomless_.begin());
    }
    for (int i = 0; i < looked_at_at_a_time && !waking_.empty() && waking_.begin()->at <= now; ++i) {
        auto& queue = *waking_.begin();
        auto* const next = next_in(queue, wall, now);
        if (next == nullptr) {
            place(queue);
        } else if (shares_.take(claim_of(*next, next->room))) {
            begin(*next, now);
            return Turn{.id = *next->id, .scope = *next->scope};
        } else {
            place(queue, roomless_, now + looks_apart);
        }
    }
    return std::nullopt;
}

/// What has nothing more to remember; its lane too, if that has ended.
void RefreshSchedule::let_go(BootTime now) {
    for (int i = 0; i < looked_at_at_a_time && !idle_.empty() && idle_.begin()->at <= now; ++i) {
        auto& queue = *idle_.begin();
        auto& [mark, lane] = queue.client;
        if (queue.pace.idle_at() > now) { // its budget was narrowed meanwhile: it counts for longer
            place(queue);
        } else if (lane.members == 0) {
            lanes_.erase(lanes_.find(mark));
        } else {
            lane.queue.reset();
        }
    }
}

/// Whose lane was at rest comes behind those that have waited since before.
void RefreshSchedule::fall_due(Member& member, BootTime now) {
    member.unlink();
    auto& queue = queue_of(member);
    if (queue.is_empty()) place(queue, waking_, std::max(now, queue.pace.next_unasked()));
    queue.due.insert(member);
}

/// Who is waited for, else the most urgent of what is due.
RefreshSchedule::Member* RefreshSchedule::next_in(Queue& queue, Time wall, BootTime now) {
    if (!queue.asked.empty() && queue.pace.next() <= now) return queue.asked.front();
    while (!queue.due.empty() && queue.pace.next_unasked() <= now) {
        auto& first = *queue.due.begin();
        const auto grant = grants_.find(*first.id);
        if (grant == grants_.end() || grant->second.next() <= now) return &first;
        first.unlink();
        first.at = wall + (grant->second.next() - now);
        planned_.insert(first);
    }
    return nullptr;
}

void RefreshSchedule::begin(Member& member, BootTime now) {
    auto& queue = queue_of(member);
    if (member.stage == Stage::asked) {
        queue.asked.pop_front();
        queue.pace.begin(now);
    } else {
        member.unlink();
        queue.pace.begin_unasked(now, apart_at(member.client->second.per_second));
    }
    member.stage = Stage::begun;
    if (const auto grant = grants_.find(*member.id); grant != grants_.end()) grant->second.begin(now);
    place(queue);
}

ExchangeShares::Claim RefreshSchedule::claim_of(const Member& member, std::size_t bytes) {
    const auto& common = *member.client->second.common;
    return {.owner = common.owner, .host = common.host, .bytes = bytes};
}

/// Whoever waits for room is looked at again.
void RefreshSchedule::give_back(Member& member, std::uint32_t bytes) {
    shares_.give_back(claim_of(member, bytes));
    member.room -= bytes;
    look_for_room_of(member.client->second.common->owner);
}

void RefreshSchedule::has_read(const Id& id) {
    auto& own = members_.at(id);
    give_back(own, std::min(own.room, static_cast<std::uint32_t>(usual_exchange)));
}

std::uint32_t RefreshSchedule::end(const Id& id, bool is_ok, BootTime now, vocabulary::Duration hold) {
    auto& own = members_.at(id);
    own.failures = is_ok ? 0 : static_cast<std::uint16_t>(std::min(own.failures + 1, most_failures));
    own.rests_until = now + rest_after(own.failures);
    if (hold > vocabulary::Duration()) queue_of(own).pace.hold(now + hold);
    rest(own);
    return own.failures;
}

void RefreshSchedule::put_off(const Id& id) {
    auto& own = members_.at(id);
    own.failures = std::max<std::uint16_t>(own.failures, 1);
    rest(own);
}

void RefreshSchedule::rest(Member& member) {
    member.stage = Stage::resting;
    if (const auto grant = grants_.find(*member.id); grant != grants_.end()) grant->second.end();
    auto& queue = queue_of(member);
    queue.pace.end();
    place(queue);
    give_back(member, member.room);
}

/// The first of that owner's that waits for room is looked at again, as far as can be seen; else the first of all.
void RefreshSchedule::look_for_room_of(const std::string& owner) {
    auto found = roomless_.begin();
    for (int i = 0; i < looked_at_at_a_time && found != roomless_.end(); ++i, ++found) {
        if (found->client.second.common->owner == owner) return place(*found);
    }
    if (!roomless_.empty()) place(*roomless_.begin());
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
    const bool is_known = found != members_.end() && found->second.client != nullptr;
    return is_known ? found->second.client->second.next() : Pace::never;
}

void RefreshSchedule::place(Queue& queue) {
    if (!queue.asked.empty()) {
        place(queue, waking_, queue.pace.next());
    } else if (!queue.due.empty()) {
        place(queue, waking_, queue.pace.next_unasked());
    } else {
        place(queue, idle_, queue.pace.idle_at());
    }
}

/// At `never` it has no place: it gets one when a request has ended.
void RefreshSchedule::place(Queue& queue, Lane::Queues& queues, BootTime at) {
    queue.unlink();
    queue.at = at;
    if (at != Pace::never) queues.insert(queue);
}

std::optional<vocabulary::Duration> RefreshSchedule::wait(Time wall, BootTime now) const {
    std::optional<vocabulary::Duration> first;
    if (!planned_.empty()) first = planned_.begin()->at - wall;
    for (const auto* queues : {&waking_, &roomless_}) {
        if (queues->empty()) continue;
        const auto queue = queues->begin()->at - now;
        first = first ? std::min(*first, queue) : queue;
    }
    return first;
}

} // namespace credlease::broker
