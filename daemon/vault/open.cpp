#include "vault/scope_index.hpp"
#include "vault/sealing.hpp"
#include "vault/token_set.hpp"

#include <algorithm>

namespace credlease::vault {
namespace {

using result::ErrorCode;
using result::refuse;
using result::Result;
using secret::SecretBuffer;
using secret::Share;

result::Failure without_tokens(const vocabulary::Credential& credential) {
    if (credential.status == vocabulary::CredentialStatus::pending) {
        return refuse({.code = ErrorCode::credential_pending,
                       .sentence = "The credential is not authorized yet.",
                       .next_step = "Finish its authorization first."});
    }
    return refuse({.code = ErrorCode::damaged,
                   .sentence = "The credential's tokens are missing.",
                   .next_step = "Authorize it anew, or restore a backup.",
                   .about = result::PublicText::of(credential.id.text())});
}

Result<OpenToken> copy_of(const TokenValue& token, secret::Arena& arena) {
    auto access = SecretBuffer::copy(arena, token.access_token, Share::tokens);
    if (!access) return refuse(std::move(access.error()));
    auto refresh = SecretBuffer::copy(arena, token.refresh_token, Share::tokens);
    if (!refresh) return refuse(std::move(refresh.error()));
    return OpenToken{
        .slot = std::string(token.slot), .access_token = std::move(*access), .refresh_token = std::move(*refresh)};
}

} // namespace

Result<const crypto::WorkspaceKey*> Vault::State::opening_key(const vocabulary::Credential& credential) const {
    const ScopeIndex* index = find(credential.scope);
    if (index && !index->key.empty()) return &index->key;
    return refuse({.code = ErrorCode::damaged,
                   .sentence = "The key of the credential's scope is damaged, and so its secret cannot be opened.",
                   .next_step = "Restore a backup.",
                   .about = result::PublicText::of(credential.id.text())});
}

Result<FieldSet> Vault::State::open_given(const Entry& entry, Share share) const {
    const auto key = opening_key(entry.credential);
    if (!key) return refuse(key.error());
    return open_fields(**key, entry, arena, share);
}

Result<SecretBuffer> Vault::State::open_token_set(const Entry& entry, Share share) const {
    if (!entry.tokens) return without_tokens(entry.credential);
    const auto key = opening_key(entry.credential);
    if (!key) return refuse(key.error());
    return open_tokens(**key, entry, arena, share);
}

Result<FieldSet> Vault::open(const Entry& entry, const catalog::AuthType& auth) const {
    auto fields = state_->open_given(entry, Share::leases);
    if (!fields) return fields;
    if (!auth.oauth && std::ranges::all_of(auth.fields, &catalog::Field::leased)) return fields;
    SecretBuffer tokens;
    if (auth.oauth) {
        auto opened = state_->open_token_set(entry, Share::leases);
        if (!opened) return refuse(std::move(opened.error()));
        tokens = std::move(*opened);
    }
    return leased_fields(auth, *fields, tokens, state_->arena);
}

Result<OpenGrant> Vault::open_grant(const Entry& entry) const {
    auto fields = state_->open_given(entry, Share::tokens);
    if (!fields) return refuse(std::move(fields.error()));
    OpenGrant grant{.fields = std::move(*fields), .tokens = {}};
    if (!entry.tokens) return grant;
    auto tokens = state_->open_token_set(entry, Share::tokens);
    if (!tokens) return refuse(std::move(tokens.error()));
    auto copied = tokens->expose([&](std::span<const std::byte> encoded) -> Result<> {
        TokenValues values(encoded);
        while (const auto value = values.next()) {
            auto token = copy_of(*value, state_->arena);
            if (!token) return refuse(std::move(token.error()));
            grant.tokens.push_back(std::move(*token));
        }
        return {};
    });
    if (!copied) return refuse(std::move(copied.error()));
    return grant;
}

} // namespace credlease::vault
