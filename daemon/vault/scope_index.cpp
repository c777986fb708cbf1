#include "vault/scope_index.hpp"

namespace credlease::vault {

FoldedName::FoldedName(const vocabulary::CredentialName& name)
    : text(vocabulary::folded(name)), hash(std::hash<std::string>{}(text)) {}

bool ScopeIndex::SameName::operator()(const FoldedName& name, const Stored* entry) const {
    return name.hash == entry->name_hash && name.text == vocabulary::folded(entry->credential.name);
}

bool ScopeIndex::SameName::operator()(const Stored* left, const Stored* right) const {
    return left == right || (left->name_hash == right->name_hash &&
                             vocabulary::folded(left->credential.name) == vocabulary::folded(right->credential.name));
}

Stored* ScopeIndex::find(const vocabulary::CredentialId& id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second.get();
}

const Stored* ScopeIndex::find_named(const FoldedName& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : *found;
}

void ScopeIndex::insert(std::unique_ptr<Stored> entry) {
    entry->name_hash = FoldedName(entry->credential.name).hash;
    by_name_.insert(entry.get());
    const auto id = entry->credential.id;
    by_id_.insert_or_assign(id, std::move(entry));
}

std::unique_ptr<Stored> ScopeIndex::take(const vocabulary::CredentialId& id) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return nullptr;
    std::unique_ptr<Stored> taken = std::move(found->second);
    by_id_.erase(found);
    const auto named = by_name_.find(taken.get());
    if (named != by_name_.end() && *named == taken.get()) by_name_.erase(named);
    return taken;
}

ScopeIndex* Vault::State::find(const vocabulary::Scope& scope) const {
    const auto found = scopes.find(scope);
    return found == scopes.end() ? nullptr : found->second.get();
}

Stored* Vault::State::find(const vocabulary::Credential& credential) const {
    const ScopeIndex* index = find(credential.scope);
    return index ? index->find(credential.id) : nullptr;
}

ScopeIndex& Vault::State::index_of(const vocabulary::Scope& scope) {
    auto& index = scopes[scope];
    if (!index) index = std::make_unique<ScopeIndex>();
    return *index;
}

} // namespace credlease::vault
