#include "oauth/assertion.hpp"

#include "crypto/one_time.hpp"
#include "crypto/rs256.hpp"
#include "wire/encoders.hpp"

namespace credlease::oauth {
namespace {

using result::Result;
using secret::SecretBuffer;
using wire::SecretJsonWriter;

/// The claims as JSON: the entry's are strings, the times numbers (RFC 7519 §4.1.4).
Result<SecretBuffer> claims_of(const Client& client, vocabulary::Time now) {
    Parameters claims(client.arena);
    const catalog::Jwt& jwt = client.rules.jwt;
    const auto scopes = scopes_of(client.rules, client.values);
    if (!scopes.empty() && !jwt.scope_claim.empty()) {
        claims.set(jwt.scope_claim, joined(scopes, client.rules.scope_separator));
    }
    claims.set(client.rules.jwt_claims, client.values);
    if (jwt.has_id) {
        const auto id = crypto::make_random_text(client.arena);
        if (!id) return result::refuse(id.error());
        claims.set("jti", *id);
    }
    const auto strings = claims.as_json();
    if (!strings) return result::refuse(strings.error());
    const auto seconds = [](vocabulary::Time time) {
        return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
    };
    auto made = SecretBuffer::make(client.arena, strings->size() + 64, secret::Share::tokens);
    if (!made) return made;
    const std::size_t size = made->expose_to_write([&](std::span<std::byte> out) {
        SecretJsonWriter writer(reinterpret_cast<char*>(out.data()), out.size());
        strings->expose(
            [&](std::span<const std::byte> bytes) { writer.raw(secret::as_text(bytes.first(bytes.size() - 1))); });
        if (!claims.empty()) writer.raw(",");
        writer.raw("\"iat\":");
        writer.number(seconds(now - jwt.backdated));
        writer.raw(",\"exp\":");
        writer.number(seconds(now - jwt.backdated + jwt.lifetime));
        writer.raw("}");
        return writer.size();
    });
    made->shrink(size);
    return made;
}

/// `before`.BASE64URL(part), or BASE64URL(part) alone.
Result<SecretBuffer> encoded(const SecretBuffer& part, secret::Arena& arena, const SecretBuffer& before = {}) {
    auto made = SecretBuffer::make(arena, before.size() + 1 + part.size() * 4 / 3 + 4, secret::Share::tokens);
    if (!made) return made;
    const std::size_t size = made->expose_to_write([&](std::span<std::byte> out) {
        SecretJsonWriter writer(reinterpret_cast<char*>(out.data()), out.size());
        before.expose([&](std::span<const std::byte> bytes) { writer.raw(secret::as_text(bytes)); });
        if (!before.empty()) writer.raw(".");
        wire::Base64Writer base64(writer, wire::Base64Writer::Alphabet::url);
        part.expose([&](std::span<const std::byte> bytes) { base64.add(secret::as_text(bytes)); });
        base64.finish();
        return writer.size();
    });
    made->shrink(size);
    return made;
}

} // namespace

Result<SecretBuffer> make_assertion(const Client& client, vocabulary::Time now) {
    const auto field = client.rules.private_key;
    if (!field || !client.values.has(*field)) {
        return result::refuse(result::invalid("fields.private_key", "A signed assertion needs the private key."));
    }
    Parameters head(client.arena);
    head.set("alg", "RS256");
    head.set("typ", "JWT");
    head.set(client.rules.jwt.headers, client.values);
    const auto names = head.as_json();
    if (!names) return result::refuse(names.error());
    const auto header = encoded(*names, client.arena);
    if (!header) return result::refuse(header.error());
    const auto claims = claims_of(client, now);
    if (!claims) return result::refuse(claims.error());
    const auto text = encoded(*claims, client.arena, *header);
    if (!text) return result::refuse(text.error());
    const auto key = SecretBuffer::copy(client.arena, client.values.text(*field), secret::Share::tokens);
    if (!key) return result::refuse(key.error());
    const auto signature = crypto::sign_rs256(*key, *text, client.arena);
    if (!signature) return result::refuse(signature.error());
    return encoded(*signature, client.arena, *text);
}

} // namespace credlease::oauth
