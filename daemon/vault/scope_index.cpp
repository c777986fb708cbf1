#include "vault/scope_index.hpp"

namespace credlease::vault {

namespace {

/// To fold notes takes a hundred microseconds: once, not in every search.
std::string fold(const vocabulary::Credential& credential) {
    std::string all;
    for (const auto& part :
         {vocabulary::folded(credential.name), credential.service.text(), vocabulary::folded(credential.notes)}) {
        all.append(part).push_back('\0');
    }
    all.shrink_to_fit();
    return all;
}

} // namespace

std::string_view folded_name(const Stored& entry) {
    return std::string_view(entry.folded).substr(0, entry.folded.find('\0'));
}

FoldedName::FoldedName(const vocabulary::CredentialName& name)
    : text(vocabulary::folded(name)), hash(std::hash<std::string_view>{}(text)) {}

bool ScopeIndex::SameName::operator()(const FoldedName& name, const Stored* entry) const {
    return name.text == folded_name(*entry);
}

bool ScopeIndex::SameName::operator()(const Stored* left, const Stored* right) const {
    return left == right || folded_name(*left) == folded_name(*right);
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
    entry->folded = fold(entry->credential);
    by_name_.insert(entry.get());
    entry->place = line_.size();
    // By an eighth: half a line of unused places would be four bytes more for each credential.
    if (line_.size() == line_.capacity()) line_.reserve(line_.size() + line_.size() / 8 + 4);
    line_.push_back(entry.get());
    const auto id = entry->credential.id;
    by_id_.insert_or_assign(id, std::move(entry));
}

void ScopeIndex::insert(std::unique_ptr<Stored> entry, std::size_t place) {
    insert(std::move(entry));
    std::swap(line_[place], line_.back());
    line_[place]->place = place;
    line_.back()->place = line_.size() - 1;
}

std::unique_ptr<Stored> ScopeIndex::take(const vocabulary::CredentialId& id) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return nullptr;
    std::unique_ptr<Stored> taken = std::move(found->second);
    by_id_.erase(found);
    const auto named = by_name_.find(taken.get());
    if (named != by_name_.end() && *named == taken.get()) by_name_.erase(named);
    line_[taken->place] = line_.back();
    line_[taken->place]->place = taken->place;
    line_.pop_back();
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
