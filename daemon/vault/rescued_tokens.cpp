#include "vault/record_bytes.hpp"
#include "vault/records.hpp"
#include "vault/scope_index.hpp"
#include "vault/sealing.hpp"

#include <algorithm>

namespace credlease::vault {
namespace {

using result::ErrorCode;
using result::refuse;
using result::Result;

constexpr std::uint8_t rescued_format = 1;

bool is_connection(const Entry& rescued) { return rescued.credential.generation == 0; }

/// Tokens of a person's consent make the next version, those of a refresh the next generation.
bool follows(const Entry& rescued, const Entry& entry) {
    const auto& next = rescued.credential;
    const auto& now = entry.credential;
    if (is_connection(rescued)) return next.version == now.version + 1;
    return entry.tokens && next.version == now.version && next.generation == now.generation + 1;
}

/// What a person chose of where the tokens go. Tokens never go to another destination.
bool has_same_destinations(const catalog::AuthType& auth, const Entry& rescued, const Entry& entry) {
    const auto value_of = [](const Entry& of, const std::string& name) {
        const auto found = of.credential.fields.find(name);
        return found == of.credential.fields.end() ? std::nullopt : std::optional(found->second);
    };
    return std::ranges::all_of(auth.fields, [&](const catalog::Field& field) {
        const bool is_chosen = field.destination && field.source == catalog::Source::person;
        return !is_chosen || value_of(rescued, field.name) == value_of(entry, field.name);
    });
}

} // namespace

std::string Vault::write_rescued(const Change& change) {
    const auto& credential = change.after();
    const auto& tokens = *change.tokens();
    std::string out;
    ByteWriter writer(out);
    writer.u8(rescued_format);
    writer.text(credential_key(credential.id));
    writer.text(write_credential(credential));
    writer.raw(write_tokens({.id = credential.id,
                             .scope = credential.scope,
                             .generation = credential.generation,
                             .state = tokens.state,
                             .fingerprint = tokens.fingerprint,
                             .sealed = tokens.sealed}));
    return out;
}

Result<Entry> Vault::read_rescued(std::string_view bytes) const {
    ByteReader reader = open_format(bytes, rescued_format);
    const auto key = reader.text();
    const auto record = reader.text();
    auto credential = read_credential(key, record);
    if (!credential) return refuse(std::move(credential.error()));
    auto tokens = read_tokens(key, reader.rest());
    if (!tokens) return refuse(std::move(tokens.error()));
    Entry rescued{.credential = std::move(*credential)};
    rescued.credential.generation = tokens->generation;
    rescued.tokens = std::make_shared<const HeldTokens>(HeldTokens{
        .state = std::move(tokens->state), .sealed = std::move(tokens->sealed), .fingerprint = tokens->fingerprint});
    if (auto opened = state_->open_token_set(rescued, secret::Share::tokens); !opened) {
        return refuse(std::move(opened.error()));
    }
    return rescued;
}

Result<Change> Vault::stage_rescued(const Entry& entry, const catalog::AuthType& auth, const Entry& rescued,
                                    store::Batch& batch) {
    if (!follows(rescued, entry) || !has_same_destinations(auth, rescued, entry)) {
        return refuse({.code = ErrorCode::version_conflict,
                       .sentence = "The credential has other tokens by now, or goes elsewhere.",
                       .next_step = "What was kept of the earlier ones is of no use.",
                       .about = result::PublicText::of(entry.credential.id.text()),
                       .current_revision = entry.credential.revision});
    }
    auto tokens = state_->open_token_set(rescued, secret::Share::tokens);
    if (!tokens) return refuse(std::move(tokens.error()));
    State::NextTokens next{
        .state = rescued.tokens->state, .tokens = std::move(*tokens), .answer_fields = rescued.credential.fields};
    if (is_connection(rescued)) return state_->stage_next_version(entry, auth, std::move(next), batch);
    return state_->stage_next_generation(entry, auth, std::move(next), batch);
}

} // namespace credlease::vault
