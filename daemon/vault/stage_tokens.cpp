#include "catalog/check_value.hpp"
#include "vault/records.hpp"
#include "vault/scope_index.hpp"
#include "vault/sealing.hpp"
#include "vault/standing.hpp"
#include "vault/token_set.hpp"

#include <algorithm>

namespace credlease::vault {
namespace {

using catalog::AuthType;
using catalog::Field;
using result::ErrorCode;
using result::refuse;
using result::Result;
using secret::Share;
using vocabulary::CredentialStatus;

/// Whoever waited for a provider may come back to a credential that was authorized anew meanwhile.
Result<> check_current(const vocabulary::Credential& credential, const Generation& of) {
    if (generation_of(credential) == of) return {};
    return refuse({.code = ErrorCode::version_conflict,
                   .sentence = "The credential has other tokens by now.",
                   .next_step = "What came for the earlier ones is of no use.",
                   .about = result::PublicText::of(credential.id.text()),
                   .current_revision = credential.revision});
}

Result<> check_access_tokens(const NewTokens& made) {
    const auto is_missing = [](const NewToken& token) { return token.access_token.empty(); };
    if (!made.tokens.empty() && std::ranges::none_of(made.tokens, is_missing)) return {};
    return refuse({.code = ErrorCode::internal, .sentence = "An answer without an access token is never stored."});
}

bool fits(const Field& field, const vocabulary::PublicValue& value) {
    if (field.source != catalog::Source::answer || field.secret) return false;
    const bool is_text = field.type == vocabulary::FieldType::string || field.type == vocabulary::FieldType::text;
    if (const auto* text = std::get_if<std::string>(&value)) return is_text && !problem_with_text(field, *text);
    const auto* number = std::get_if<std::int64_t>(&value);
    return number && field.type == vocabulary::FieldType::integer && !problem_with_number(field, *number);
}

/// Whether a field has changed. What does not fit is left out, since tokens are not lost for it.
bool take_answer_fields(const AuthType& auth, const vocabulary::PublicFields& given, vocabulary::PublicFields& fields) {
    bool has_changed = false;
    for (const auto& [name, value] : given) {
        const auto index = auth.find_field(name);
        if (!index || !fits(auth.fields[*index], value)) continue;
        auto& held = fields[name];
        has_changed |= held != value;
        held = value;
    }
    return has_changed;
}

/// A consent may be another account's: what its tokens are asked for is asked anew.
void forget_asked_fields(const AuthType& auth, vocabulary::PublicFields& fields) {
    if (!auth.oauth) return;
    for (const auto& asked : auth.oauth->answer_fields) {
        if (asked.url) fields.erase(auth.fields[asked.field].name);
    }
}

/// Whether it has changed. What was revoked or waits for its first tokens stays so, and says why.
bool give_status(vocabulary::Credential& credential, CredentialStatus status, const std::string& reason) {
    const auto standing = standing_of(credential);
    const auto next = standing.status == CredentialStatus::pending ? CredentialStatus::pending : status;
    if (standing.status == next && standing.reason == reason) return false;
    standing.status = next;
    standing.reason = reason;
    return true;
}

/// Of the credential's own client: what is known of it stays; else it ends when the provider lets none live longer.
std::optional<vocabulary::Time> client_secret_end(const Entry& entry, const AuthType& auth, const NewConnection& made) {
    if (made.client_secret_ends_at || made.terms.client != vocabulary::ClientOwner::credential) {
        return made.client_secret_ends_at;
    }
    const bool is_known = entry.tokens && entry.tokens->state.terms.client == vocabulary::ClientOwner::credential &&
                          entry.tokens->state.terms.client_id == made.terms.client_id;
    if (is_known && entry.tokens->state.client_secret_ends_at) return entry.tokens->state.client_secret_ends_at;
    if (!auth.oauth || !auth.oauth->client_secret || !auth.oauth->clocks.client_secret) return std::nullopt;
    const auto& name = auth.fields[*auth.oauth->client_secret].name;
    const auto& set = entry.credential.secret_fields;
    if (std::ranges::find(set, name) == set.end()) return std::nullopt;
    return entry.credential.created_at + *auth.oauth->clocks.client_secret;
}

vocabulary::OAuthState connected_state(const Entry& entry, const AuthType& auth, const NewConnection& made) {
    vocabulary::OAuthState state = merged(vocabulary::OAuthState{}, made.answer);
    state.connected_at = made.answer.now;
    state.refreshed_at.reset();
    state.client_secret_ends_at = client_secret_end(entry, auth, made);
    state.terms = made.terms;
    return state;
}

/// A person learns why what worked yesterday is refused today.
std::string reason_of_active(const vocabulary::OAuthState& state) {
    std::string lost;
    for (const auto& token : state.tokens) {
        for (const auto& scope : token.lost_scopes) lost += ' ' + scope;
    }
    return lost.empty() ? lost : "the provider no longer grants:" + lost;
}

void change_state(vocabulary::OAuthState& state, const StateChange& made) {
    if (made.failures) state.failures = *made.failures;
    if (made.last_failure) state.last_failure = *made.last_failure;
    if (made.refresh_at) state.refresh_at = *made.refresh_at;
    if (made.client_secret_ends_at) state.client_secret_ends_at = *made.client_secret_ends_at;
}

} // namespace

Result<> Vault::State::stage_token_set(Change::State& change, vocabulary::OAuthState state,
                                       const secret::SecretBuffer& tokens, store::Batch& batch) const {
    Stored& next = *change.next;
    const auto key = key_of(next.credential.scope, change.new_key, batch);
    if (!key) return refuse(key.error());
    HeldTokens made{.state = std::move(state),
                    .fingerprint = fingerprint_of_tokens(keys.fingerprint, tokens),
                    .record_revision = (next.tokens ? next.tokens->record_revision : 0) + 1};
    made.sealed = seal_tokens(**key, next.credential, made.state, tokens);
    batch.put(store::Table::tokens, credential_key(next.credential.id), made.record_revision,
              write_tokens({.id = next.credential.id,
                            .scope = next.credential.scope,
                            .generation = next.credential.generation,
                            .state = made.state,
                            .fingerprint = made.fingerprint,
                            .sealed = made.sealed}));
    next.tokens = std::make_shared<const HeldTokens>(std::move(made));
    return {};
}

Result<Change> Vault::State::stage_next_version(const Entry& entry, const AuthType& auth, NextTokens next,
                                                store::Batch& batch) const {
    auto fields = open_given(entry, Share::tokens);
    if (!fields) return refuse(std::move(fields.error()));
    auto change = begin(entry);
    change->in_place = true;
    vocabulary::Credential& after = change->next->credential;
    batch.erase(store::Table::versions, version_key(after.id, after.version), change->next->sealed_revision);
    change->next->sealed_revision = 0;
    after.version += 1;
    after.generation = 0;
    after.revision += 1;
    after.updated_at = next.state.connected_at;
    after.rotated_at = next.state.connected_at;
    const auto standing = standing_of(after);
    standing.status = CredentialStatus::active;
    standing.reason.clear();
    forget_asked_fields(auth, after.fields);
    take_answer_fields(auth, next.answer_fields, after.fields);
    if (auto staged = stage(*change, *fields, batch); !staged) return refuse(std::move(staged.error()));
    auto staged = stage_token_set(*change, std::move(next.state), next.tokens, batch);
    if (!staged) return refuse(std::move(staged.error()));
    end_intent(*change, batch);
    return Change(std::move(change));
}

Result<Change> Vault::State::stage_next_generation(const Entry& entry, const AuthType& auth, NextTokens next,
                                                   store::Batch& batch) const {
    auto change = begin(entry);
    change->in_place = true;
    vocabulary::Credential& after = change->next->credential;
    after.generation += 1;
    const bool has_other_status = give_status(after, CredentialStatus::active, reason_of_active(next.state));
    if (take_answer_fields(auth, next.answer_fields, after.fields)) {
        auto fields = open_given(entry, Share::tokens);
        if (!fields) return refuse(std::move(fields.error()));
        if (auto staged = stage(*change, *fields, batch); !staged) return refuse(std::move(staged.error()));
    } else if (has_other_status) {
        stage_credential(*change, batch);
    }
    auto staged = stage_token_set(*change, std::move(next.state), next.tokens, batch);
    if (!staged) return refuse(std::move(staged.error()));
    end_intent(*change, batch);
    return Change(std::move(change));
}

Result<Change> Vault::stage_connect(const Entry& entry, const AuthType& auth, const NewConnection& made,
                                    store::Batch& batch) {
    if (auto whole = check_access_tokens(made.answer); !whole) return refuse(std::move(whole.error()));
    auto tokens = merged(secret::SecretBuffer{}, made.answer.tokens, state_->arena);
    if (!tokens) return refuse(std::move(tokens.error()));
    State::NextTokens next{.state = connected_state(entry, auth, made),
                           .tokens = std::move(*tokens),
                           .answer_fields = made.answer.answer_fields};
    return state_->stage_next_version(entry, auth, std::move(next), batch);
}

Result<Change> Vault::stage_tokens(const Entry& entry, const AuthType& auth, const Generation& of,
                                   const NewTokens& made, store::Batch& batch) {
    if (auto current = check_current(entry.credential, of); !current) return refuse(std::move(current.error()));
    if (auto whole = check_access_tokens(made); !whole) return refuse(std::move(whole.error()));
    auto held = state_->open_token_set(entry, Share::tokens);
    if (!held) return refuse(std::move(held.error()));
    auto tokens = merged(*held, made.tokens, state_->arena);
    if (!tokens) return refuse(std::move(tokens.error()));
    State::NextTokens next{
        .state = merged(entry.tokens->state, made), .tokens = std::move(*tokens), .answer_fields = made.answer_fields};
    return state_->stage_next_generation(entry, auth, std::move(next), batch);
}

Result<Change> Vault::stage_answer_fields(const Entry& entry, const AuthType& auth,
                                          const vocabulary::PublicFields& given, store::Batch& batch) {
    auto change = state_->begin(entry);
    change->in_place = true;
    const bool has_changed = take_answer_fields(auth, given, change->next->credential.fields);
    if (!has_changed || !entry.tokens) return Change(std::move(change));
    auto fields = state_->open_given(entry, Share::tokens);
    if (!fields) return refuse(std::move(fields.error()));
    auto tokens = state_->open_token_set(entry, Share::tokens); // both are bound to the public fields
    if (!tokens) return refuse(std::move(tokens.error()));
    if (auto staged = state_->stage(*change, *fields, batch); !staged) return refuse(std::move(staged.error()));
    auto staged = state_->stage_token_set(*change, entry.tokens->state, *tokens, batch);
    if (!staged) return refuse(std::move(staged.error()));
    return Change(std::move(change));
}

Result<Change> Vault::stage_state(const Entry& entry, const Generation& of, StateChange made, store::Batch& batch) {
    if (auto current = check_current(entry.credential, of); !current) return refuse(std::move(current.error()));
    auto change = state_->begin(entry);
    change->in_place = true;
    vocabulary::Credential& after = change->next->credential;
    const bool is_known = entry.tokens || standing_of(after).status == CredentialStatus::pending;
    if (is_known && made.status && give_status(after, *made.status, made.status_reason)) {
        State::stage_credential(*change, batch);
    }
    if (entry.tokens) {
        auto tokens = state_->open_token_set(entry, Share::tokens);
        if (!tokens) return refuse(std::move(tokens.error()));
        vocabulary::OAuthState state = entry.tokens->state;
        change_state(state, made);
        auto staged = state_->stage_token_set(*change, std::move(state), *tokens, batch);
        if (!staged) return refuse(std::move(staged.error()));
    }
    if (made.ends_intent) state_->end_intent(*change, batch);
    return Change(std::move(change));
}

} // namespace credlease::vault
