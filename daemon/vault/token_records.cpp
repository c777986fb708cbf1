#include "vault/record_bytes.hpp"
#include "vault/records.hpp"

#include <algorithm>

namespace credlease::vault {
namespace {

using vocabulary::OAuthState;
using vocabulary::TokenState;

constexpr std::uint8_t tokens_format = 1;
constexpr std::uint8_t intent_format = 1;
constexpr std::uint8_t token_binding_format = 2; ///< 1 is that of a person's fields

template <class Out> void write_token_state(ByteWriter<Out>& writer, const TokenState& token) {
    writer.text(token.slot);
    write(writer, token.scopes);
    write(writer, token.lost_scopes);
    write(writer, token.access_ends_at);
    write(writer, token.refresh_idle_ends_at);
    write(writer, token.refresh_ends_at);
    writer.u8(token.has_refresh_token ? 1 : 0);
}

template <class Out> void write_state(ByteWriter<Out>& writer, const OAuthState& state) {
    writer.text(state.account);
    writer.u32(static_cast<std::uint32_t>(state.tokens.size()));
    for (const TokenState& token : state.tokens) write_token_state(writer, token);
    writer.i64(number_of(state.connected_at));
    write(writer, state.refreshed_at);
    write(writer, state.refresh_at);
    writer.u32(state.failures);
    writer.text(state.last_failure);
    write(writer, state.client_secret_ends_at);
    writer.i64(state.may_be_refused_for.count());
    writer.text(state.terms.token_url);
    writer.text(state.terms.issuer);
    writer.u8(static_cast<std::uint8_t>(state.terms.client_auth));
    writer.u8(static_cast<std::uint8_t>(state.terms.client));
    writer.text(state.terms.client_id);
    write(writer, state.terms.scopes);
    write(writer, state.terms.parameters);
}

/// A number that is no value of the enumeration breaks the record.
template <class Value> Value read_word(ByteReader& reader, Value last) {
    const std::uint8_t number = reader.u8();
    if (number > static_cast<std::uint8_t>(last)) reader.give_up();
    return static_cast<Value>(number);
}

TokenState read_token_state(ByteReader& reader) {
    TokenState token;
    token.slot = reader.text();
    token.scopes = read_texts(reader);
    token.lost_scopes = read_texts(reader);
    token.access_ends_at = read_maybe_time(reader);
    token.refresh_idle_ends_at = read_maybe_time(reader);
    token.refresh_ends_at = read_maybe_time(reader);
    token.has_refresh_token = reader.u8() != 0;
    return token;
}

OAuthState read_state(ByteReader& reader) {
    OAuthState state;
    state.account = reader.text();
    for (std::uint32_t left = reader.u32(); left > 0 && !reader.is_broken(); --left) {
        state.tokens.push_back(read_token_state(reader));
    }
    state.connected_at = time_of(reader.i64());
    state.refreshed_at = read_maybe_time(reader);
    state.refresh_at = read_maybe_time(reader);
    state.failures = reader.u32();
    state.last_failure = reader.text();
    state.client_secret_ends_at = read_maybe_time(reader);
    state.may_be_refused_for = vocabulary::Duration(reader.i64());
    state.terms.token_url = reader.text();
    state.terms.issuer = reader.text();
    state.terms.client_auth = read_word(reader, vocabulary::ClientAuth::none);
    state.terms.client = read_word(reader, vocabulary::ClientOwner::organization);
    state.terms.client_id = reader.text();
    state.terms.scopes = read_texts(reader);
    state.terms.parameters = read_map(reader);
    return state;
}

} // namespace

std::string write_tokens(const SealedTokens& tokens) {
    std::string out;
    ByteWriter writer(out);
    writer.u8(tokens_format);
    writer.text(tokens.scope.text());
    writer.u64(tokens.generation);
    write_state(writer, tokens.state);
    writer.raw(text_of(std::as_bytes(std::span(tokens.fingerprint))));
    writer.raw(text_of(tokens.sealed));
    return out;
}

result::Result<SealedTokens> read_tokens(std::string_view key, std::string_view value) {
    ByteReader reader = open_format(value, tokens_format);
    const auto id = vocabulary::CredentialId::find(key);
    SealedTokens read;
    read.id = id.value_or(vocabulary::CredentialId{});
    read.scope = read_scope(reader);
    read.generation = reader.u64();
    read.state = read_state(reader);
    std::ranges::copy(reader.raw(read.fingerprint.size()), read.fingerprint.begin());
    read.sealed = bytes_of(reader.rest());
    if (!id || !reader.is_whole()) return damaged_record(key);
    return read;
}

std::string write_intent(const Intent& intent) {
    std::string out;
    ByteWriter writer(out);
    writer.u8(intent_format);
    writer.u32(intent.of.version);
    writer.u64(intent.of.number);
    writer.i64(number_of(intent.started_at));
    writer.text(intent.slot);
    return out;
}

result::Result<Intent> read_intent(std::string_view key, std::string_view value) {
    ByteReader reader = open_format(value, intent_format);
    Intent read;
    read.of.version = reader.u32();
    read.of.number = reader.u64();
    read.started_at = time_of(reader.i64());
    read.slot = reader.text();
    if (!vocabulary::CredentialId::find(key) || !reader.is_whole()) return damaged_record(key);
    return read;
}

void write_token_binding(const vocabulary::Credential& credential, const OAuthState& state, std::pmr::string& out) {
    ByteWriter writer(out);
    writer.u8(token_binding_format);
    write_binding(credential, credential.generation, out);
    write_state(writer, state);
}

} // namespace credlease::vault
