#include "broker/refresher.hpp"

#include "broker/asker.hpp"
#include "broker/find_credential.hpp"
#include "broker/pace_of.hpp"
#include "broker/token_client.hpp"
#include "oauth/schedule.hpp"
#include "runtime/crash_point.hpp"

#include <algorithm>

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::refuse;

constexpr std::size_t begun_at_a_time = 50; ///< of those that are due at one moment; the others come a moment later
constexpr std::chrono::milliseconds a_moment{20};
// After what changed nothing: the store or the arena was full, an entry is missing, first tokens were refused.
constexpr vocabulary::Duration first_wait = std::chrono::seconds(5);
constexpr vocabulary::Duration longest_wait = std::chrono::minutes(30);
constexpr vocabulary::Duration surely_set =
    std::chrono::minutes(1);                         ///< a token that is newer than now is of another clock
constexpr std::uint32_t longest_hold_seconds = 3600; ///< by one answer: what it says of the others is a guess

result::Failure timed_out() {
    return refuse({.code = ErrorCode::refresh_timeout,
                   .sentence = "The provider takes longer than a request may wait for it.",
                   .next_step = "Ask again: it goes on.",
                   .retry_after_seconds = 1});
}

std::uint32_t seconds_of(vocabulary::Duration wait) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 1, 86'400));
}

result::Failure held_back(vocabulary::Duration wait) {
    return refuse({.code = ErrorCode::rate_limited,
                   .sentence = "The provider takes no more token requests of this OAuth client for now.",
                   .next_step = "Ask again later: its turn comes by itself.",
                   .retry_after_seconds = seconds_of(wait)});
}

result::Failure still_failing(vocabulary::Duration wait) {
    return refuse({.code = ErrorCode::upstream_failed,
                   .sentence = "No new token came the last times that one was asked for.",
                   .next_step = "It is asked for again by itself; credlease show has how it stands.",
                   .retry_after_seconds = seconds_of(wait)});
}

result::Failure crowded() {
    return refuse({.code = ErrorCode::overloaded,
                   .sentence = "Too many token requests are under way.",
                   .next_step = "Ask again: its turn comes by itself.",
                   .retry_after_seconds = 1});
}

result::Failure closing() {
    return refuse({.code = ErrorCode::sealed,
                   .sentence = "The broker is closing: it seals or stops.",
                   .next_step = "Ask again when it is ready."});
}

/// What a provider's answer to one request says of all others of the same client.
vocabulary::Duration hold_after(const result::Result<>& outcome) {
    if (outcome || outcome.error().code != ErrorCode::upstream_failed) return {};
    return std::chrono::seconds(std::min(outcome.error().retry_after_seconds.value_or(0), longest_hold_seconds));
}

std::optional<vocabulary::Time> first_end(const vocabulary::OAuthState& state) {
    std::optional<vocabulary::Time> first;
    for (const auto& token : state.tokens) {
        if (token.access_ends_at && (!first || *token.access_ends_at < *first)) first = token.access_ends_at;
    }
    return first;
}

vocabulary::Time last_got(const vocabulary::OAuthState& state) {
    return state.refreshed_at.value_or(state.connected_at);
}

vocabulary::Duration margin_of(const Unsealed& house, const vault::Entry& entry) {
    const auto kind = kind_of(house, entry.credential);
    return kind && kind->auth->oauth ? kind->auth->oauth->clocks.margin : vocabulary::Duration();
}

/// A refresh was under way when the broker ended.
void note_in_doubt(Unsealed& house, const vault::Entry& entry) {
    vocabulary::AuditRecord record;
    record.action = vocabulary::Action::oauth_in_doubt;
    record.ok = false;
    record.principal = vocabulary::by_itself;
    record.detail = "the broker ended before the provider's answer was stored";
    concern(record, entry.credential);
    house.journal->note(record);
}

} // namespace

runtime::Task<result::Result<>> Refresher::refresh(vocabulary::Scope scope, vocabulary::CredentialId id,
                                                   runtime::BootTime deadline, By by) {
    const auto found = find_flight(scope, id, deadline, by);
    if (!found) co_return refuse(found.error());
    const FlightRef flight = *found;
    if (!flight->outcome) co_await wait(flight, deadline);
    if (flight->outcome) co_return *flight->outcome;
    if (flight->is_begun) co_return timed_out();
    const auto next = schedule_.next_of(id);
    if (next == oauth::Pace::never) co_return timed_out(); // others are under way
    const auto now = house_.parts.clock.boot();
    co_return next > now ? held_back(next - now) : crowded();
}

result::Result<Refresher::FlightRef> Refresher::find_flight(const vocabulary::Scope& scope,
                                                            const vocabulary::CredentialId& id,
                                                            runtime::BootTime deadline, By by) {
    if (const auto found = flights_.find(id); found != flights_.end()) return found->second;
    const auto* entry = house_.vault->find({&scope, 1}, id);
    if (entry == nullptr) return access::credential_not_found();
    if (house_.is_closing) return closing();
    const auto now = house_.parts.clock.boot();
    const auto rests_until = schedule_.rests_until(id);
    if (by == By::lease && rests_until > now) return still_failing(rests_until - now);
    const auto later = schedule_.ask(scope, id, pace_of(house_, *entry), now, deadline);
    if (later) return held_back(*later - now);
    auto flight = std::make_shared<Flight>(); // a task may end at once, and take its place in the map along
    flights_.emplace(id, flight);
    take_turns();
    return flight;
}

std::uint64_t Refresher::seed_of(const vocabulary::Scope& scope, const vocabulary::CredentialId& id) {
    return schedule_.seed_of(scope, id);
}

void Refresher::begin(const RefreshSchedule::Turn& turn) {
    auto& place = flights_[turn.id];
    if (!place) place = std::make_shared<Flight>();
    place->is_begun = true;
    const auto seed = schedule_.seed_of(turn.scope, turn.id);
    house_.tasks.start(run({.scope = turn.scope, .id = turn.id, .seed = seed}));
}

runtime::Task<> Refresher::run(Refreshed what) {
    co_await runtime::give_way(house_.parts.loop); // many may be due in one moment
    auto outcome = co_await get_tokens(house_, what);
    runtime::crash_point("before the answer");
    if (!outcome && outcome.error().code == ErrorCode::overloaded) {
        schedule_.put_off(what.id);
    } else {
        schedule_.end(what.id, outcome.has_value(), house_.parts.clock.boot(), hold_after(outcome));
    }
    end(what, std::move(outcome));
}

runtime::Task<> Refresher::run_work(Refreshed what, Work work) {
    auto outcome = co_await work(what);
    end(what, std::move(outcome));
}

void Refresher::fly(const vocabulary::Scope& scope, const vocabulary::CredentialId& id, Work work) {
    auto flight = std::make_shared<Flight>();
    flight->is_begun = true;
    flights_[id] = std::move(flight);
    house_.tasks.start(run_work({.scope = scope, .id = id, .seed = schedule_.seed_of(scope, id)}, std::move(work)));
}

runtime::Task<> Refresher::settle(vocabulary::CredentialId id, runtime::BootTime deadline) {
    if (!is_asking(id)) co_return;
    const FlightRef flight = flights_.at(id);
    co_await wait(flight, deadline);
}

bool Refresher::is_asking(const vocabulary::CredentialId& id) const {
    const auto at = flights_.find(id);
    return at != flights_.end() && at->second->is_begun;
}

runtime::Task<> Refresher::settle_all(runtime::BootTime deadline) {
    std::vector<FlightRef> flights;
    for (const auto& [id, flight] : flights_) flights.push_back(flight);
    for (const auto& flight : flights) {
        if (!flight->outcome) co_await wait(flight, deadline);
    }
}

void Refresher::end(const Refreshed& what, result::Result<> outcome) {
    land(what.id, std::move(outcome));
    const auto* entry = find_refreshed(house_, what);
    if (entry != nullptr) {
        plan(*entry);
    } else {
        schedule_.forget(what.id);
    }
    set_clock();
}

void Refresher::land(const vocabulary::CredentialId& id, result::Result<> outcome) {
    const auto flight = flights_.extract(id).mapped();
    flight->outcome = std::move(outcome);
    for (auto& waiter : std::exchange(flight->waiting, {})) {
        house_.parts.clock.cancel(waiter.call);
        waiter.resume();
    }
}

runtime::Task<> Refresher::wait(FlightRef flight, runtime::BootTime deadline) {
    auto& clock = house_.parts.clock;
    auto start = [&clock, flight, deadline](runtime::Resume resume) {
        auto& waiting = flight->waiting;
        const auto own = waiting.insert(waiting.end(), Waiter{.resume = std::move(resume)});
        own->call = clock.call_at(deadline, [flight, own] {
            const auto give_up = std::move(own->resume);
            flight->waiting.erase(own);
            give_up();
        });
    };
    co_await runtime::suspend(house_.parts.loop, std::move(start));
}

/// It was got later than now, before this life of the broker: when it ends nobody knows.
bool Refresher::is_of_another_clock(const vault::Entry& entry) const {
    const auto& state = entry.tokens->state;
    const bool is_free = state.failures == 0 && house_.vault->find_intent(entry.credential.id) == nullptr;
    return is_free && last_got(state) > house_.wall() + surely_set;
}

/// Nullopt: it is not refreshed by itself.
std::optional<vocabulary::Time> Refresher::due_at(const vault::Entry& entry) const {
    using vocabulary::CredentialStatus;
    const auto status = entry.credential.status;
    if (entry.tokens) {
        const bool is_alive = status == CredentialStatus::active || status == CredentialStatus::failing;
        if (!is_alive) return std::nullopt;
        const auto& state = entry.tokens->state;
        if (house_.vault->find_intent(entry.credential.id) == nullptr) return state.refresh_at;
        const auto again = in_doubt_until(house_, entry);
        return again && state.failures > 0 && state.refresh_at ? std::max(*again, *state.refresh_at) : again;
    }
    if (status != CredentialStatus::pending) return std::nullopt;
    const auto kind = kind_of(house_, entry.credential);
    if (!kind || !kind->auth->oauth) return std::nullopt;
    const auto flow = oauth::find_flow(*kind->auth, entry.credential.fields);
    if (!flow || !is_automatic(*flow)) return std::nullopt;
    return house_.wall();
}

/// Known by the wall clock, planned on the time line of deadlines: setting the clock moves nothing that is planned.
std::optional<RefreshSchedule::When> Refresher::when(const vault::Entry& entry) const {
    const auto at = due_at(entry);
    if (!at) return std::nullopt;
    const auto wall = house_.wall();
    const auto now = house_.time.now();
    RefreshSchedule::When when{.at = now + (*at - wall), .is_late = true};
    if (entry.tokens) {
        const auto ends = first_end(entry.tokens->state);
        when.is_late = ends && *ends <= wall;
        if (ends) when.period = oauth::period_of(*ends - last_got(entry.tokens->state), margin_of(house_, entry));
        if (is_of_another_clock(entry)) when = {.at = now, .period = when.period, .is_late = true};
    }
    const auto failures = schedule_.failures_of(entry.credential.id);
    if (failures > 0 && when.at <= now) {
        when.at = now + std::min(first_wait * (1U << std::min(failures - 1, 9U)), longest_wait);
    }
    return when;
}

void Refresher::plan(const vault::Entry& entry) {
    const auto& credential = entry.credential;
    if (flights_.contains(credential.id)) return; // it plans when it has ended
    if (const auto found = when(entry)) {
        schedule_.plan(credential.scope, credential.id, pace_of(house_, entry), *found);
    } else {
        schedule_.forget(credential.id);
    }
    set_clock();
}

void Refresher::plan_all() {
    for (const auto& [entry, intent] : house_.vault->find_intents()) {
        if (!flights_.contains(entry->credential.id)) note_in_doubt(house_, *entry);
    }
    const auto walk_all = [this](const auto& look) {
        vault::Walk walk{.scopes = house_.vault->all_scopes()};
        while (house_.vault->walk_on(walk, look)) { // a start takes the time
        }
    };
    std::size_t late = 0;
    walk_all([&](const vault::Entry& entry) { late += is_late(entry) ? 1 : 0; });
    walk_all([&, room = RefreshSchedule::catching_up(late)](const vault::Entry& entry) {
        plan_anew(entry, room);
        note_past(entry);
    });
}

bool Refresher::is_late(const vault::Entry& entry) const {
    const auto found = when(entry);
    return found && found->is_late && found->at <= house_.time.now();
}

void Refresher::plan_anew(const vault::Entry& entry, vocabulary::Duration room) {
    const auto& credential = entry.credential;
    const auto found = when(entry);
    if (!found || flights_.contains(credential.id)) return; // what is under way plans when it has ended
    schedule_.plan_anew(credential.scope, credential.id, pace_of(house_, entry), *found, house_.time.now(), room);
    set_clock();
}

/// A provider's budget counts what was asked for before the start.
void Refresher::note_past(const vault::Entry& entry) {
    if (!entry.tokens) return;
    const auto ago = house_.wall() - last_got(entry.tokens->state);
    schedule_.note(entry.credential.id, house_.parts.clock.boot() - std::max(ago, vocabulary::Duration()));
}

void Refresher::quiet() {
    if (call_ != 0) house_.parts.clock.cancel(std::exchange(call_, 0));
    std::vector<vocabulary::CredentialId> waiting;
    for (const auto& [id, flight] : flights_) {
        if (!flight->is_begun) waiting.push_back(id);
    }
    for (const auto& id : waiting) land(id, closing());
}

void Refresher::has_read(const vocabulary::CredentialId& id) {
    schedule_.has_read(id);
    set_clock();
}

void Refresher::take_turns() {
    const auto now = house_.parts.clock.boot();
    for (std::size_t i = 0; i < begun_at_a_time && house_.parts.outbound.has_room(); ++i) {
        const auto turn = schedule_.take(house_.time.now(), now);
        if (!turn) return set_clock();
        begin(*turn);
    }
    rests_until_ = now + a_moment;
    set_clock();
}

void Refresher::set_clock() {
    if (house_.is_closing) return;
    auto& clock = house_.parts.clock;
    const auto now = clock.boot();
    const auto wait = schedule_.wait(house_.time.now(), now);
    if (!wait) return;
    const auto at = std::max(now + std::max(*wait, vocabulary::Duration()), rests_until_);
    if (call_ != 0) {
        if (call_at_ <= at) return;
        clock.cancel(call_);
    }
    call_at_ = at;
    call_ = clock.call_at(at, [this] {
        call_ = 0;
        take_turns();
    });
}

} // namespace credlease::broker
