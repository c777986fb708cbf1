#include "broker/refresh_failing.hpp"

#include "broker/refresher.hpp"
#include "runtime/suspend.hpp"

namespace credlease::broker {
namespace {

struct Place {
    vocabulary::Scope scope;
    vocabulary::CredentialId id;
};

bool fails_by_its_client(const vault::Entry& entry, std::string_view service) {
    const auto& credential = entry.credential;
    return entry.tokens && credential.service.text() == service &&
           credential.status == vocabulary::CredentialStatus::failing &&
           entry.tokens->state.terms.client == vocabulary::ClientOwner::organization;
}

} // namespace

runtime::Task<> refresh_failing(Unsealed& house, std::string service) {
    std::vector<Place> failing;
    vault::Walk walk{.scopes = house.vault->all_scopes()};
    const auto take = [&](const vault::Entry& entry) {
        if (fails_by_its_client(entry, service)) failing.push_back({entry.credential.scope, entry.credential.id});
    };
    while (house.vault->walk_on(walk, take)) {
        auto next_turn = [](const runtime::Resume& resume) { resume(); };
        co_await runtime::suspend(house.parts.loop, next_turn);
    }
    std::size_t failures = 0; // one may have been under way with what was there before
    for (const auto& [scope, id] : failing) {
        if (house.is_closing) co_return;
        const auto deadline = house.parts.clock.boot() + house.settings().outbound.timeout;
        auto refreshed = co_await house.refresher->refresh(scope, id, deadline, Refresher::By::person);
        const bool has_failed = !refreshed && refreshed.error().code == result::ErrorCode::upstream_failed;
        if (has_failed && ++failures > 1) co_return;
    }
}

runtime::Task<> refresh_edited(Unsealed& house, vocabulary::Scope scope, vocabulary::CredentialId id) {
    const auto deadline = house.parts.clock.boot() + house.settings().outbound.timeout;
    co_await house.refresher->settle(id, deadline); // which was asked for with what was there before
    (void)co_await house.refresher->refresh(std::move(scope), id, deadline, Refresher::By::person);
}

} // namespace credlease::broker
