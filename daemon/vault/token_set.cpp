#include "vault/token_set.hpp"

#include "vault/encode.hpp"

#include <algorithm>

namespace credlease::vault {
namespace {

using catalog::AuthType;
using catalog::Field;
using catalog::TokenSlot;
using result::refuse;
using result::Result;
using secret::as_text;
using secret::SecretBuffer;

template <class Out> void write_token(Out& out, const TokenValue& token) {
    ByteWriter writer(out);
    writer.text(token.slot);
    writer.text(token.token_type);
    writer.text(token.access_token);
    writer.text(token.refresh_token);
}

/// The new token, with the refresh token that is there where none came.
template <class Out> void write_token(Out& out, const NewToken& made, std::string_view held_refresh_token) {
    made.access_token.expose([&](std::span<const std::byte> access) {
        made.refresh_token.expose([&](std::span<const std::byte> refresh) {
            write_token(out, TokenValue{.slot = made.slot,
                                        .token_type = made.token_type,
                                        .access_token = as_text(access),
                                        .refresh_token = refresh.empty() ? held_refresh_token : as_text(refresh)});
        });
    });
}

/// The fields that a person gave, as they are stored.
template <class Out> void write_given(Out& out, const AuthType& auth, std::span<const std::byte> encoded) {
    SecretValues values(encoded);
    while (const auto value = values.next()) {
        const auto index = auth.find_field(value->name);
        if (!index) continue;
        const Field& field = auth.fields[*index];
        if (field.leased && field.source == catalog::Source::person) write_value(out, *value);
    }
}

template <class Out> void write_access_tokens(Out& out, const AuthType& auth, std::span<const std::byte> encoded) {
    TokenValues values(encoded);
    while (const auto token = values.next()) {
        const auto slot = std::ranges::find(auth.oauth->slots, token->slot, &TokenSlot::name);
        if (slot == auth.oauth->slots.end()) continue;
        const auto write = [&](std::size_t index, std::string_view bytes) {
            const Field& field = auth.fields[index];
            if (field.leased) write_value(out, {.name = field.name, .type = field.type, .bytes = bytes});
        };
        write(slot->access_token, token->access_token);
        if (slot->token_type) write(*slot->token_type, token->token_type);
    }
}

vocabulary::TokenState& state_of(vocabulary::OAuthState& state, const std::string& slot) {
    const auto held = std::ranges::find(state.tokens, slot, &vocabulary::TokenState::slot);
    if (held != state.tokens.end()) return *held;
    return state.tokens.emplace_back(vocabulary::TokenState{.slot = slot});
}

bool contains(const std::vector<std::string>& texts, const std::string& text) {
    return std::ranges::find(texts, text) != texts.end();
}

void take_scopes(vocabulary::TokenState& state, const std::vector<std::string>& granted) {
    for (auto& scope : state.scopes) {
        if (!contains(state.lost_scopes, scope)) state.lost_scopes.push_back(std::move(scope));
    }
    std::erase_if(state.lost_scopes, [&](const std::string& scope) { return contains(granted, scope); });
    state.scopes = granted;
}

} // namespace

std::optional<TokenValue> TokenValues::next() {
    if (reader_.is_at_end()) return std::nullopt;
    TokenValue token;
    token.slot = reader_.text();
    token.token_type = reader_.text();
    token.access_token = reader_.text();
    token.refresh_token = reader_.text();
    return reader_.is_broken() ? std::nullopt : std::optional(token);
}

Result<SecretBuffer> merged(const SecretBuffer& held, const std::vector<NewToken>& made, secret::Arena& arena) {
    return held.expose([&](std::span<const std::byte> encoded) {
        return encode(arena, secret::Share::tokens, [&](auto& out) {
            std::vector<bool> is_written(made.size());
            TokenValues values(encoded);
            while (const auto token = values.next()) {
                const auto is = std::ranges::find(made, token->slot, &NewToken::slot);
                if (is == made.end()) {
                    write_token(out, *token);
                } else {
                    write_token(out, *is, token->refresh_token);
                    is_written[static_cast<std::size_t>(is - made.begin())] = true;
                }
            }
            for (std::size_t i = 0; i < made.size(); ++i) {
                if (!is_written[i]) write_token(out, made[i], {});
            }
        });
    });
}

vocabulary::OAuthState merged(vocabulary::OAuthState held, const NewTokens& made) {
    for (const NewToken& token : made.tokens) {
        vocabulary::TokenState& state = state_of(held, token.slot);
        if (token.scopes) take_scopes(state, *token.scopes);
        state.access_ends_at = token.access_ends_at;
        state.told_at = made.told_at;
        state.got_at = made.now;
        const bool is_new = !token.refresh_token.empty();
        state.has_refresh_token |= is_new;
        if (is_new || token.refresh_idle_ends_at) state.refresh_idle_ends_at = token.refresh_idle_ends_at;
        if (is_new || token.refresh_ends_at) state.refresh_ends_at = token.refresh_ends_at;
    }
    if (!made.account.empty()) held.account = made.account;
    if (made.may_be_refused_for) held.may_be_refused_for = *made.may_be_refused_for;
    held.refreshed_at = made.now;
    held.refresh_at = made.refresh_at;
    held.failures = 0;
    held.last_failure.clear();
    return held;
}

Result<FieldSet> leased_fields(const AuthType& auth, const FieldSet& fields, const SecretBuffer& tokens,
                               secret::Arena& arena) {
    auto encoded = fields.encoded().expose([&](std::span<const std::byte> given) {
        return tokens.expose([&](std::span<const std::byte> token_set) {
            return encode(arena, secret::Share::leases, [&](auto& out) {
                write_given(out, auth, given);
                if (auth.oauth) write_access_tokens(out, auth, token_set);
            });
        });
    });
    if (!encoded) return refuse(std::move(encoded.error()));
    return FieldSet(std::move(*encoded));
}

std::array<std::uint8_t, 8> fingerprint_of_tokens(const mac::FingerprintMac& mac, const SecretBuffer& tokens) {
    mac::Digest digest{};
    tokens.expose([&](std::span<const std::byte> encoded) {
        TokenValues values(encoded);
        while (const auto token = values.next()) {
            digest = mac.of({mac::bytes_of(digest), mac::bytes_of(token->slot), mac::bytes_of(token->access_token)});
        }
    });
    std::array<std::uint8_t, 8> fingerprint{};
    std::copy_n(digest.begin(), fingerprint.size(), fingerprint.begin());
    return fingerprint;
}

Result<SecretBuffer> OpenGrant::copy_field(std::string_view name, secret::Arena& arena) const {
    return fields.encoded().expose([&](std::span<const std::byte> encoded) -> Result<SecretBuffer> {
        SecretValues values(encoded);
        while (const auto value = values.next()) {
            if (value->name == name) return SecretBuffer::copy(arena, value->bytes, secret::Share::tokens);
        }
        return SecretBuffer();
    });
}

} // namespace credlease::vault
