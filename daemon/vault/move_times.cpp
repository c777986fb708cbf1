#include "vault/scope_index.hpp"

#include <algorithm>

namespace credlease::vault {
namespace {

using vocabulary::OAuthState;
using vocabulary::TokenState;

void move(std::optional<vocabulary::Time>& time, vocabulary::Duration by) {
    if (time) *time += by;
}

/// What every refresh tells anew. When a consent ends at the latest stays: it may be of an earlier life.
vocabulary::Duration move_ends(TokenState& token, vocabulary::Duration offset) {
    if (!token.told_at) return {};
    const auto by = offset - *std::exchange(token.told_at, offset);
    move(token.access_ends_at, by);
    move(token.got_at, by);
    move(token.refresh_idle_ends_at, by);
    return by;
}

OAuthState moved(OAuthState state, vocabulary::Duration offset) {
    vocabulary::Duration by{};
    for (auto& token : state.tokens) {
        const auto moved = move_ends(token, offset);
        if (moved.count() != 0) by = moved;
    }
    move(state.refresh_at, by);
    (state.refreshed_at ? *state.refreshed_at : state.connected_at) += by;
    return state;
}

} // namespace

void Vault::State::move_times(Stored& stored) const {
    if (!offset || !stored.tokens) return;
    const auto stays = [this](const TokenState& token) { return !token.told_at || *token.told_at == *offset; };
    const HeldTokens& held = *stored.tokens;
    if (std::ranges::all_of(held.state.tokens, stays)) return;
    HeldTokens next = held;
    next.sealed_with = held.sealed_with ? held.sealed_with : std::make_shared<const OAuthState>(held.state);
    next.state = moved(held.state, *offset);
    stored.tokens = std::make_shared<const HeldTokens>(std::move(next));
}

void Vault::State::move_time(Intent& intent) const {
    if (!offset || !intent.told_at) return;
    intent.started_at += *offset - *intent.told_at;
    intent.told_at = offset;
}

void Vault::set_offset(vocabulary::Duration offset) { state_->offset = offset; }

void Vault::move_times(const Entry& entry) {
    if (Stored* stored = state_->find(entry.credential)) state_->move_times(*stored);
    const auto held = state_->intents.find(entry.credential.id);
    if (held != state_->intents.end()) state_->move_time(held->second.intent);
}

} // namespace credlease::vault
