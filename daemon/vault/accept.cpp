#include "vault/records.hpp"
#include "vault/scope_index.hpp"

namespace credlease::vault {

using result::refuse;
using result::Result;

Result<> Vault::State::accept_credential(const store::Record& record) {
    auto read = read_credential(record.key, record.value);
    if (!read) return refuse(std::move(read.error()));
    auto entry = std::make_unique<Stored>();
    entry->credential = std::move(*read);
    entry->record_revision = record.revision;
    ends.add(*entry);
    ScopeIndex& index = index_of(entry->credential.scope);
    index.insert(std::move(entry));
    return {};
}

Result<> Vault::State::accept_version(const store::Record& record) {
    auto read = read_version(record.key, record.value);
    if (!read) return refuse(std::move(read.error()));
    const ScopeIndex* index = find(read->scope);
    Stored* entry = index ? index->find(read->id) : nullptr;
    if (!entry || entry->credential.version != read->version) return {};
    entry->sealed = std::move(read->sealed);
    entry->fingerprint = read->fingerprint;
    entry->sealed_revision = record.revision;
    return {};
}

/// Tokens of another version or scope, or of what the credential no longer is, do not open.
Result<> Vault::State::accept_tokens(const store::Record& record) {
    auto read = read_tokens(record.key, record.value);
    if (!read) return refuse(std::move(read.error()));
    const ScopeIndex* index = find(read->scope);
    Stored* entry = index ? index->find(read->id) : nullptr;
    if (!entry) return {};
    entry->credential.generation = read->generation;
    entry->tokens = std::make_shared<const HeldTokens>(HeldTokens{.state = std::move(read->state),
                                                                  .sealed = std::move(read->sealed),
                                                                  .fingerprint = read->fingerprint,
                                                                  .record_revision = record.revision});
    return {};
}

Result<> Vault::State::accept_intent(const store::Record& record) {
    auto read = read_intent(record.key, record.value);
    if (!read) return refuse(std::move(read.error()));
    const auto id = *vocabulary::CredentialId::find(record.key);
    intents[id] = {.intent = std::move(*read), .record_revision = record.revision};
    return {};
}

Result<> Vault::State::accept_key(const store::Record& record) {
    auto read = read_key(record.key, record.value);
    if (!read) return refuse(std::move(read.error()));
    ScopeIndex& index = index_of(read->scope);
    index.key_revision = record.revision;
    auto key = crypto::unwrap<crypto::WorkspaceKeyKind>(root, read->wrapped, record.key, arena);
    if (!key) {
        key.error().about = result::PublicText::of(record.key);
        return refuse(std::move(key.error()));
    }
    index.key = std::move(*key);
    return {};
}

} // namespace credlease::vault
