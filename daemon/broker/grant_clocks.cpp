#include "broker/grant_clocks.hpp"

#include "broker/find_credential.hpp"
#include "broker/token_client.hpp"

namespace credlease::broker {
namespace {

using oauth::ClockKind;
using vocabulary::CredentialStatus;
using vocabulary::Time;

bool is_alive(const Unsealed& house, const vault::Entry& entry) {
    if (!entry.tokens) return false;
    const auto status = vault::effective_status(entry.credential, house.wall());
    return status == CredentialStatus::active || status == CredentialStatus::failing;
}

/// A flow without a person brings the next token without a refresh token.
bool needs_refresh_token(const Unsealed& house, const vocabulary::Credential& credential) {
    const auto kind = kind_of(house, credential);
    if (!kind || !kind->auth->oauth) return true;
    const auto flow = oauth::find_flow(*kind->auth, credential.fields);
    return !flow || !is_automatic(*flow);
}

} // namespace

std::vector<GrantClock> clocks_of_grant(const Unsealed& house, const vault::Entry& entry) {
    std::vector<GrantClock> found;
    if (!is_alive(house, entry)) return found;
    const auto& state = entry.tokens->state;
    const Time used_at = state.refreshed_at.value_or(state.connected_at);
    const auto add = [&](ClockKind clock, Time began, const std::optional<Time>& ends, std::string_view slot) {
        if (ends) found.push_back({.runs = {.clock = clock, .began = began, .ends = *ends}, .slot = slot});
    };
    for (const auto& token : state.tokens) {
        const bool just_ends = token.access_ends_at && !token.has_refresh_token;
        if (just_ends && needs_refresh_token(house, entry.credential)) {
            add(ClockKind::access_token, used_at, token.access_ends_at, token.slot);
        }
        add(ClockKind::refresh_idle, used_at, token.refresh_idle_ends_at, token.slot);
        add(ClockKind::refresh_absolute, state.connected_at, token.refresh_ends_at, token.slot);
    }
    if (state.terms.client == vocabulary::ClientOwner::credential) {
        add(ClockKind::client_secret, {}, state.client_secret_ends_at, {});
    }
    return found;
}

std::optional<Time> client_secret_end(const Unsealed& house, const vault::Entry& entry) {
    if (!entry.tokens) return std::nullopt;
    const auto& state = entry.tokens->state;
    if (state.terms.client == vocabulary::ClientOwner::credential) return state.client_secret_ends_at;
    const auto client = house.vault->find_client(entry.credential.service.text());
    return client && client->client_id == state.terms.client_id ? client->secret_ends_at : std::nullopt;
}

std::optional<oauth::RunningClock> clock_of(const vault::OAuthClient& client) {
    if (!client.has_secret || !client.secret_ends_at) return std::nullopt;
    return oauth::RunningClock{.clock = ClockKind::client_secret, .ends = *client.secret_ends_at};
}

} // namespace credlease::broker
