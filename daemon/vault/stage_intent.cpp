#include "vault/records.hpp"
#include "vault/scope_index.hpp"

namespace credlease::vault {

void Vault::State::end_intent(Change::State& change, store::Batch& batch) const {
    const auto& id = change.next->credential.id;
    const auto held = intents.find(id);
    if (held == intents.end()) return;
    batch.erase(store::Table::intents, credential_key(id), held->second.record_revision);
    change.intent.emplace(std::nullopt);
}

void Vault::State::erase_tokens(Change::State& change, store::Batch& batch) const {
    const Stored& next = *change.next;
    if (next.tokens) {
        batch.erase(store::Table::tokens, credential_key(next.credential.id), next.tokens->record_revision);
    }
    end_intent(change, batch);
}

Change Vault::stage_intent(const Entry& entry, std::string slot, vocabulary::Time now, store::Batch& batch) {
    const auto& id = entry.credential.id;
    const auto held = state_->intents.find(id);
    HeldIntent made{.intent = {.of = generation_of(entry.credential),
                               .started_at = now,
                               .slot = std::move(slot),
                               .told_at = state_->offset},
                    .record_revision = (held == state_->intents.end() ? 0 : held->second.record_revision) + 1};
    batch.put(store::Table::intents, credential_key(id), made.record_revision, write_intent(made.intent));
    auto change = state_->begin(entry);
    change->in_place = true;
    change->intent.emplace(std::move(made));
    return Change(std::move(change));
}

Change Vault::stage_clear_intent(const Entry& entry, store::Batch& batch) {
    auto change = state_->begin(entry);
    change->in_place = true;
    state_->end_intent(*change, batch);
    return Change(std::move(change));
}

const Intent* Vault::find_intent(const vocabulary::CredentialId& id) const {
    const auto held = state_->intents.find(id);
    return held == state_->intents.end() ? nullptr : &held->second.intent;
}

std::vector<Vault::InDoubt> Vault::find_intents() const {
    std::vector<InDoubt> found;
    if (state_->intents.empty()) return found;
    for (const auto& [scope, index] : state_->scopes) {
        for (const auto& [id, held] : state_->intents) {
            if (const Entry* entry = index->find(id)) found.push_back({.entry = entry, .intent = held.intent});
        }
    }
    return found;
}

} // namespace credlease::vault
