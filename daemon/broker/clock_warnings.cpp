#include "broker/clock_warnings.hpp"

#include "broker/asker.hpp"
#include "broker/events.hpp"
#include "runtime/suspend.hpp"

namespace credlease::broker {
namespace {

using namespace std::chrono_literals;
using oauth::RunningClock;
using vocabulary::Action;

constexpr vocabulary::Duration soon = 500ms;           ///< many changes are one look
constexpr vocabulary::Duration at_least_every = 10min; ///< the wall clock may be set

/// "refresh_absolute of main ends at 2026-12-24T18:00:00.000Z"; past_events.cpp reads it.
std::string text_of(const RunningClock& clock, std::string_view of) {
    std::string text(oauth::name_of(clock.clock));
    if (!of.empty()) text.append(" of ").append(of);
    return text.append(" ends at ").append(vocabulary::text_of(clock.ends));
}

void note(Unsealed& house, Action action, const vocabulary::Credential* credential, std::string_view detail) {
    vocabulary::AuditRecord record;
    record.action = action;
    record.principal = vocabulary::by_itself;
    record.detail = detail;
    if (credential != nullptr) concern(record, *credential);
    house.journal->note(record);
}

} // namespace

void ClockWarnings::look_soon() {
    if (is_looking_) {
        must_look_again_ = true;
    } else {
        set_clock(house_.parts.clock.boot() + soon);
    }
}

void ClockWarnings::quiet() {
    if (call_ != 0) house_.parts.clock.cancel(std::exchange(call_, 0));
}

void ClockWarnings::set_clock(runtime::BootTime at) {
    if (house_.is_closing || (call_ != 0 && call_at_ <= at)) return;
    quiet();
    call_at_ = at;
    call_ = house_.parts.clock.call_at(at, [this] {
        call_ = 0;
        house_.tasks.start(look());
    });
}

runtime::Task<> ClockWarnings::look() {
    is_looking_ = true;
    must_look_again_ = false;
    auto& loop = house_.parts.loop;
    const auto now = house_.wall();
    Look made{.until = now, .next = now + at_least_every};
    vault::Walk walk{.scopes = house_.vault->all_scopes()};
    const auto look_at_each = [&](const vault::Entry& entry) { look_at(entry, made); };
    while (house_.vault->walk_on(walk, look_at_each)) {
        auto next_turn = [](const runtime::Resume& resume) { resume(); };
        co_await runtime::suspend(loop, next_turn);
        if (house_.is_closing) co_return; // what is left is told of after the next start
    }
    for (const auto& client : house_.vault->list_clients()) look_at(*client, made);
    house_.journal->flush();
    told_until_ = std::max(told_until_, made.until);
    ending_ = made.ending;
    first_ = std::move(made.first);
    is_looking_ = false;
    const auto wait = must_look_again_ ? soon : std::max(made.next - house_.wall(), soon);
    set_clock(house_.parts.clock.boot() + wait);
}

bool ClockWarnings::is_due(const RunningClock& clock, Look& look) const {
    if (const auto next = oauth::next_warning(clock, look.until)) look.next = std::min(look.next, *next);
    const auto last = oauth::last_warning(clock, look.until);
    if (last) ++look.ending;
    return last && *last > told_until_;
}

void ClockWarnings::look_at(const vault::Entry& entry, Look& look) {
    const auto& credential = entry.credential;
    for (const auto& [clock, slot] : clocks_of_grant(house_, entry)) {
        if (look.is_first(clock)) {
            look.first = {.clock = clock,
                          .service = std::string(credential.service.text()),
                          .credential = credential.id.text(),
                          .name = credential.name.text()};
        }
        if (!is_due(clock, look)) continue;
        note(house_, Action::oauth_ending, &credential, text_of(clock, slot));
        house_.events->credential_ending(credential, clock);
        house_.parts.tell_ending({.service = std::string(credential.service.text()),
                                  .credential = credential.id.text(),
                                  .clock = oauth::name_of(clock.clock),
                                  .ends_at = clock.ends});
    }
}

void ClockWarnings::look_at(const vault::OAuthClient& client, Look& look) {
    const auto clock = clock_of(client);
    if (!clock) return;
    const std::string service(client.service.text());
    if (look.is_first(*clock)) look.first = {.clock = *clock, .service = service};
    if (!is_due(*clock, look)) return;
    note(house_, Action::oauth_client_ending, nullptr, text_of(*clock, service));
    house_.parts.tell_ending({.service = service, .clock = oauth::name_of(clock->clock), .ends_at = clock->ends});
}

} // namespace credlease::broker
