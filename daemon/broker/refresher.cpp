#include "broker/refresher.hpp"

#include "broker/asker.hpp"
#include "broker/find_credential.hpp"
#include "broker/token_client.hpp"
#include "runtime/crash_point.hpp"

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::refuse;

constexpr std::size_t begun_at_a_time = 50; ///< of those that are due at one moment; the others come a moment later
constexpr std::chrono::milliseconds a_moment{20};
// After what changed nothing: the store or the arena was full, an entry is missing, first tokens were refused.
constexpr vocabulary::Duration first_wait = std::chrono::seconds(5);
constexpr vocabulary::Duration longest_wait = std::chrono::minutes(30);

result::Failure timed_out() {
    return refuse({.code = ErrorCode::refresh_timeout,
                   .sentence = "The provider takes longer than a request may wait for it.",
                   .next_step = "Ask again: it goes on.",
                   .retry_after_seconds = 1});
}

/// A refresh was under way when the broker ended.
void note_in_doubt(Unsealed& house, const vault::Entry& entry) {
    vocabulary::AuditRecord record;
    record.action = vocabulary::Action::oauth_in_doubt;
    record.ok = false;
    record.principal = "broker";
    record.detail = "the broker ended before the provider's answer was stored";
    concern(record, entry.credential);
    house.journal->note(record);
}

} // namespace

runtime::Task<result::Result<>> Refresher::refresh(vocabulary::Scope scope, vocabulary::CredentialId id,
                                                   runtime::BootTime deadline) {
    const FlightRef flight = fly(scope, id);
    if (!flight->outcome) co_await wait(flight, deadline);
    if (!flight->outcome) co_return timed_out();
    co_return *flight->outcome;
}

runtime::Task<> Refresher::settle(vocabulary::CredentialId id, runtime::BootTime deadline) {
    const auto at = flights_.find(id);
    if (at == flights_.end()) co_return;
    const FlightRef flight = at->second;
    co_await wait(flight, deadline);
}

Refresher::Planned& Refresher::planned(const vocabulary::Scope& scope, const vocabulary::CredentialId& id) {
    const auto [at, is_new] = planned_.try_emplace(id);
    auto& planned = at->second;
    if (is_new) planned.seed = seeds_++;
    if (planned.scope && *planned.scope == scope) return planned;
    if (!last_scope_ || *last_scope_ != scope) last_scope_ = std::make_shared<const vocabulary::Scope>(scope);
    planned.scope = last_scope_;
    return planned;
}

Refresher::FlightRef Refresher::fly(const vocabulary::Scope& scope, const vocabulary::CredentialId& id) {
    const auto [at, is_new] = flights_.try_emplace(id);
    if (!is_new) return at->second;
    at->second = std::make_shared<Flight>();
    const auto flight = at->second; // a task may end at once, and take its place in the map along
    take_off(scope, id, flight, [this](const Refreshed& what) { return get_tokens(house_, what); });
    return flight;
}

void Refresher::fly(const vocabulary::Scope& scope, const vocabulary::CredentialId& id, Work work) {
    const auto flight = std::make_shared<Flight>();
    flights_[id] = flight;
    take_off(scope, id, flight, std::move(work));
}

void Refresher::take_off(const vocabulary::Scope& scope, const vocabulary::CredentialId& id, const FlightRef& flight,
                         Work work) {
    auto& own = planned(scope, id);
    set_time(id, own, std::nullopt);
    house_.tasks.start(run({.scope = scope, .id = id, .seed = own.seed}, flight, std::move(work)));
}

runtime::Task<> Refresher::land(runtime::BootTime deadline) {
    std::vector<FlightRef> flights;
    for (const auto& [id, flight] : flights_) flights.push_back(flight);
    for (const auto& flight : flights) {
        if (!flight->outcome) co_await wait(flight, deadline);
    }
}

std::uint64_t Refresher::seed_of(const vocabulary::Scope& scope, const vocabulary::CredentialId& id) {
    return planned(scope, id).seed;
}

runtime::Task<> Refresher::run(Refreshed what, FlightRef flight, Work work) {
    auto outcome = co_await work(what);
    runtime::crash_point("before the answer");
    flights_.erase(what.id);
    if (const auto own = planned_.find(what.id); own != planned_.end()) {
        own->second.failures = outcome ? 0 : own->second.failures + 1;
    }
    flight->outcome = std::move(outcome);
    for (auto& waiter : std::exchange(flight->waiting, {})) {
        house_.parts.clock.cancel(waiter.call);
        waiter.resume();
    }
    const auto* entry = find_refreshed(house_, what);
    if (entry != nullptr) {
        plan(*entry);
    } else {
        forget(what.id);
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
    const auto flow = oauth::find_flow(*kind->auth->oauth, oauth::Values(*kind->auth, entry.credential.fields));
    if (!flow || !is_automatic(*flow)) return std::nullopt;
    return house_.wall();
}

void Refresher::plan(const vault::Entry& entry) {
    const auto& id = entry.credential.id;
    if (flights_.contains(id)) return; // it plans when it has ended
    auto at = due_at(entry);
    if (!at) return forget(id);
    auto& own = planned(entry.credential.scope, id);
    if (own.failures > 0 && *at <= house_.wall()) {
        at = house_.wall() + std::min(first_wait * (1U << std::min(own.failures - 1, 9U)), longest_wait);
    }
    set_time(id, own, at);
    set_clock();
}

void Refresher::plan_all() {
    for (const auto& [entry, intent] : house_.vault->find_intents()) {
        if (!flights_.contains(entry->credential.id)) note_in_doubt(house_, *entry);
    }
    vault::Walk walk{.scopes = house_.vault->all_scopes()};
    const auto plan_each = [this](const vault::Entry& entry) { plan(entry); };
    while (house_.vault->walk_on(walk, plan_each)) { // a start takes the time
    }
    set_clock();
}

void Refresher::quiet() {
    if (call_ != 0) house_.parts.clock.cancel(std::exchange(call_, 0));
}

void Refresher::set_time(const vocabulary::CredentialId& id, Planned& planned, std::optional<vocabulary::Time> at) {
    if (planned.at) due_.erase({*planned.at, id});
    planned.at = at;
    if (at) due_.emplace(*at, id);
}

void Refresher::forget(const vocabulary::CredentialId& id) {
    const auto found = planned_.find(id);
    if (found == planned_.end()) return;
    set_time(id, found->second, std::nullopt);
    planned_.erase(found);
}

void Refresher::ring() {
    call_ = 0;
    const auto now = house_.wall();
    for (std::size_t i = 0; i < begun_at_a_time && !due_.empty() && due_.begin()->first <= now; ++i) {
        const auto id = due_.begin()->second;
        const auto scope = planned_.at(id).scope;
        std::ignore = fly(*scope, id);
    }
    set_clock();
}

/// Planned by the wall clock, as the provider's clocks are; waited for on the one that counts a suspend.
void Refresher::set_clock() {
    if (due_.empty() || house_.is_closing) return;
    const auto at = due_.begin()->first;
    if (call_ != 0) {
        if (call_at_ <= at) return;
        house_.parts.clock.cancel(call_);
    }
    call_at_ = at;
    const auto wait = std::max<vocabulary::Duration>(at - house_.wall(), a_moment);
    call_ = house_.parts.clock.call_at(house_.parts.clock.boot() + wait, [this] { ring(); });
}

} // namespace credlease::broker
