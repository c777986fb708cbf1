#include "vault/vault.hpp"

#include "vault/records.hpp"
#include "vault/scope_index.hpp"

namespace credlease::vault {
namespace {

using vocabulary::CredentialStatus;
using vocabulary::Scope;

} // namespace

CredentialStatus effective_status(const vocabulary::Credential& credential, vocabulary::Time now) {
    const bool can_expire =
        credential.status == CredentialStatus::active || credential.status == CredentialStatus::failing;
    const bool is_past = credential.expires_at && *credential.expires_at <= now;
    return can_expire && is_past ? CredentialStatus::expired : credential.status;
}

const std::array<std::uint8_t, 8>& leased_fingerprint(const Entry& entry) {
    return entry.tokens ? entry.tokens->fingerprint : entry.fingerprint;
}

Vault::Vault(secret::Arena& arena, const crypto::RootKey& root, Keys keys)
    : state_(std::make_unique<State>(State{.arena = arena,
                                           .root = root,
                                           .keys = std::move(keys),
                                           .scopes = {},
                                           .ends = {},
                                           .intents = {},
                                           .clients = {}})) {}

Vault::~Vault() = default;

result::Result<> Vault::accept(const store::Record& record) {
    switch (record.table) {
    case store::Table::credentials:
        return state_->accept_credential(record);
    case store::Table::versions:
        return state_->accept_version(record);
    case store::Table::keys:
        return state_->accept_key(record);
    case store::Table::tokens:
        return state_->accept_tokens(record);
    case store::Table::intents:
        return state_->accept_intent(record);
    case store::Table::clients:
        return state_->accept_client(record);
    default:
        return {};
    }
}

void Vault::forget(store::Table table, std::string_view key) {
    if (table == store::Table::keys) {
        const auto scope = Scope::find(key);
        ScopeIndex* index = scope ? state_->find(*scope) : nullptr;
        if (index) index->key = {};
        return;
    }
    if (table == store::Table::clients) {
        if (const auto held = state_->clients.find(key); held != state_->clients.end()) state_->clients.erase(held);
        return;
    }
    const auto id = vocabulary::CredentialId::find(key.substr(0, vocabulary::CredentialId::text_size));
    if (!id) return;
    if (table == store::Table::intents) state_->intents.erase(*id);
    for (const auto& [scope, index] : state_->scopes) {
        Stored* entry = index->find(*id);
        if (!entry) continue;
        if (table == store::Table::credentials) {
            state_->ends.drop(*entry);
            const auto gone = index->take(*id);
        } else if (table == store::Table::versions && key == version_key(*id, entry->credential.version)) {
            entry->sealed.clear();
            entry->sealed_revision = 0;
        } else if (table == store::Table::tokens) {
            entry->tokens.reset();
            entry->credential.generation = 0;
        }
    }
}

const Entry* Vault::find(std::span<const Scope> scopes, const vocabulary::CredentialId& id) const {
    for (const Scope& scope : scopes) {
        const ScopeIndex* index = state_->find(scope);
        if (const Entry* entry = index ? index->find(id) : nullptr) return entry;
    }
    return nullptr;
}

std::vector<const Entry*> Vault::find_named(std::span<const Scope> scopes,
                                            const vocabulary::CredentialName& name) const {
    std::vector<const Entry*> found;
    const FoldedName folded(name);
    for (const Scope& scope : scopes) {
        const ScopeIndex* index = state_->find(scope);
        if (const Entry* entry = index ? index->find_named(folded) : nullptr) found.push_back(entry);
    }
    return found;
}

std::vector<Scope> Vault::all_scopes() const {
    std::vector<Scope> scopes;
    scopes.reserve(state_->scopes.size());
    for (const auto& [scope, index] : state_->scopes) scopes.push_back(scope);
    return scopes;
}

std::size_t Vault::size() const {
    std::size_t size = 0;
    for (const auto& [scope, index] : state_->scopes) size += index->size();
    return size;
}

std::optional<vocabulary::Time> Vault::next_end() const { return state_->ends.next(); }

const Entry* Vault::take_ended(vocabulary::Time now) {
    while (const Entry* entry = state_->ends.take(now)) {
        if (effective_status(entry->credential, now) == CredentialStatus::expired) return entry;
    }
    return nullptr;
}

bool Vault::walk_on(Walk& walk, const std::function<void(const Entry&)>& show) const {
    return state_->walk_on(walk, show);
}

void Vault::note_use(const vocabulary::CredentialId& id, const Scope& scope, vocabulary::Time when) {
    const ScopeIndex* index = state_->find(scope);
    if (Stored* entry = index ? index->find(id) : nullptr) entry->last_used_at = when;
}

} // namespace credlease::vault
