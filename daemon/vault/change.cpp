#include "vault/records.hpp"
#include "vault/scope_index.hpp"
#include "vault/sealing.hpp"

#include <algorithm>

namespace credlease::vault {

using result::ErrorCode;
using result::refuse;
using result::Result;

Change::Change() = default;
Change::Change(std::unique_ptr<State> state) : state_(std::move(state)) {}
Change::Change(Change&&) noexcept = default;
Change& Change::operator=(Change&&) noexcept = default;
Change::~Change() = default;
const vocabulary::Credential& Change::after() const { return state_->next->credential; }
const std::array<std::uint8_t, 8>& Change::fingerprint() const { return state_->next->fingerprint; }
const HeldTokens* Change::tokens() const { return state_->next->tokens.get(); }

Result<> Vault::State::check_name(const vocabulary::Credential& wanted) const {
    const ScopeIndex* index = find(wanted.scope);
    const Stored* same = index ? index->find_named(FoldedName(wanted.name)) : nullptr;
    if (!same || same->credential.id == wanted.id) return {};
    return refuse({.code = ErrorCode::name_taken,
                   .sentence = "Another credential of this scope has this name.",
                   .next_step = "Choose another name, or change the one that is there.",
                   .about = result::PublicText::of(wanted.name.text())});
}

Result<const crypto::WorkspaceKey*> Vault::State::key_of(const vocabulary::Scope& scope, crypto::WorkspaceKey& made,
                                                         store::Batch& batch) const {
    const ScopeIndex* index = find(scope);
    if (index && !index->key.empty()) return &index->key;
    if (!made.empty()) return &made;
    const std::string text = scope.text();
    if (index && index->key_revision != 0) {
        return refuse(
            {.code = ErrorCode::damaged,
             .sentence = "The scope's key is damaged: it is kept as it was found, and nothing is sealed anew.",
             .next_step = "Restore a backup, or use another scope.",
             .about = result::PublicText::of(text)});
    }
    auto key = crypto::make_key<crypto::WorkspaceKeyKind>(arena);
    if (!key) return refuse(std::move(key.error()));
    made = std::move(*key);
    batch.put(store::Table::keys, text, 1, write_key(crypto::wrap(root, made, text)));
    return &made;
}

void Vault::State::take_key(const vocabulary::Scope& scope, crypto::WorkspaceKey made) {
    if (made.empty()) return;
    ScopeIndex& index = index_of(scope);
    index.key = std::move(made);
    index.key_revision = 1;
}

std::unique_ptr<Change::State> Vault::State::begin(const Entry& entry) const {
    auto change = std::make_unique<Change::State>();
    change->before = entry.credential.scope;
    change->next = std::make_unique<Stored>(*find(entry.credential));
    return change;
}

Result<> Vault::State::stage(Change::State& change, const FieldSet& fields, store::Batch& batch) const {
    Stored& next = *change.next;
    const auto key = key_of(next.credential.scope, change.new_key, batch);
    if (!key) return refuse(key.error());
    next.sealed = seal_fields(**key, next.credential, fields);
    stage_credential(change, batch);
    const auto& credential = next.credential;
    batch.put(store::Table::versions, version_key(credential.id, credential.version), ++next.sealed_revision,
              write_version({.id = credential.id,
                             .version = credential.version,
                             .scope = credential.scope,
                             .fingerprint = next.fingerprint,
                             .sealed = next.sealed}));
    return {};
}

void Vault::State::stage_credential(Change::State& change, store::Batch& batch) {
    const auto& credential = change.next->credential;
    batch.put(store::Table::credentials, credential_key(credential.id), ++change.next->record_revision,
              write_credential(credential));
}

Change Vault::stage_erase(const Entry& entry, store::Batch& batch) {
    auto change = std::make_unique<Change::State>();
    change->erases = true;
    change->before = entry.credential.scope;
    change->next = std::make_unique<Stored>();
    change->next->credential = entry.credential;
    change->next->tokens = entry.tokens;
    const auto& credential = entry.credential;
    if (const Stored* stored = state_->find(credential)) {
        batch.erase(store::Table::credentials, credential_key(credential.id), stored->record_revision);
        if (stored->sealed_revision != 0) {
            batch.erase(store::Table::versions, version_key(credential.id, credential.version),
                        stored->sealed_revision);
        }
    }
    state_->erase_tokens(*change, batch);
    return Change(std::move(change));
}

void Vault::apply(Change change) {
    Change::State& made = *change.state_;
    const auto id = made.next->credential.id;
    ScopeIndex* before = state_->find(made.before);
    state_->move_times(*made.next);
    if (made.intent && *made.intent) {
        auto& held = state_->intents[id];
        held = std::move(**made.intent);
        state_->move_time(held.intent);
    } else if (made.intent) {
        state_->intents.erase(id);
    }
    if (made.in_place) {
        Stored* held = before ? before->find(id) : nullptr;
        if (!held) return;
        made.next->last_used_at = held->last_used_at;
        made.next->place = held->place; // others may have gone since it was staged
        *held = std::move(*made.next);
        return;
    }
    std::unique_ptr<Stored> kept = before ? before->take(id) : nullptr;
    const bool is_told =
        kept && !state_->ends.drop(*kept) && kept->credential.expires_at == made.next->credential.expires_at;
    if (made.erases) return;
    state_->take_key(made.next->credential.scope, std::move(made.new_key));
    ScopeIndex& index = state_->index_of(made.next->credential.scope);
    const auto place = kept && &index == before ? std::optional(kept->place) : std::nullopt;
    if (kept) {
        made.next->last_used_at = kept->last_used_at;
        *kept = std::move(*made.next);
    } else {
        kept = std::move(made.next);
    }
    if (!is_told) state_->ends.add(*kept);
    place ? index.insert(std::move(kept), *place) : index.insert(std::move(kept));
}

} // namespace credlease::vault
