#include "oauth/requests.hpp"

#include "crypto/one_time.hpp"
#include "oauth/assertion.hpp"
#include "wire/encoders.hpp"

#include <algorithm>

namespace credlease::oauth {
namespace {

using catalog::BodyFormat;
using catalog::ClientAuth;
using result::Result;
using secret::SecretBuffer;
using wire::SecretJsonWriter;

result::Failure no_url() {
    return result::refuse({.code = result::ErrorCode::invalid_request,
                           .sentence = "This service does not offer that, or its URL is not known.",
                           .next_step = "Choose another flow, or set the URL or the issuer."});
}

result::Failure no_authorize_url() {
    return result::refuse({.code = result::ErrorCode::invalid_request,
                           .sentence = "Nothing says where a person signs in: the authorization URL is not known.",
                           .next_step = "Give authorize_url or the issuer to the credential, or to the organization's "
                                        "OAuth client where it asks by that; or choose another flow."});
}

result::Failure no_client_id() {
    return result::refuse(result::invalid("fields.client_id", "No OAuth client is set for this service."));
}

bool is_same_name(std::string_view left, std::string_view right) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::ranges::equal(left, right, {}, lower, lower);
}

/// "SCHEME …" in the arena; `write` writes what follows.
template <class Write>
Result<SecretBuffer> authorization_header(secret::Arena& arena, std::string_view scheme, std::size_t most,
                                          const Write& write) {
    auto made = SecretBuffer::make(arena, scheme.size() + 1 + most, secret::Share::tokens);
    if (!made) return made;
    const std::size_t size = made->expose_to_write([&](std::span<std::byte> out) {
        SecretJsonWriter writer(reinterpret_cast<char*>(out.data()), out.size());
        writer.raw(scheme);
        writer.raw(" ");
        write(writer);
        return writer.size();
    });
    made->shrink(size);
    return made;
}

/// Basic authentication with both parts form-encoded first (RFC 6749 §2.3.1).
Result<SecretBuffer> basic(std::string_view id, std::string_view secret, secret::Arena& arena) {
    auto pair = SecretBuffer::make(arena, 3 * (id.size() + secret.size()) + 1, secret::Share::tokens);
    if (!pair) return pair;
    const std::size_t size = pair->expose_to_write([&](std::span<std::byte> out) {
        SecretJsonWriter writer(reinterpret_cast<char*>(out.data()), out.size());
        wire::write_url_encoded(writer, id);
        writer.raw(":");
        wire::write_url_encoded(writer, secret);
        return writer.size();
    });
    pair->shrink(size);
    return authorization_header(arena, "Basic", size * 4 / 3 + 4, [&](SecretJsonWriter& writer) {
        wire::Base64Writer base64(writer);
        pair->expose([&](std::span<const std::byte> bytes) { base64.add(secret::as_text(bytes)); });
        base64.finish();
    });
}

/// Whether a provider that gets one refresh twice, and whose first answer is lost, has taken nothing from anybody.
bool is_harmless_twice(catalog::RefreshClass refresh) {
    switch (refresh) {
    case catalog::RefreshClass::fixed:
    case catalog::RefreshClass::rotating: // the old refresh token is good after its use, too
        return true;
    case catalog::RefreshClass::single_use:       // the first spends it, and whoever spends it again may lose the grant
    case catalog::RefreshClass::single_use_grace: // … once the grace is over, by the provider's clock
    case catalog::RefreshClass::kills_access_token: // the first ends what is leased, and the second comes later
    case catalog::RefreshClass::none:
        return false;
    }
    return false;
}

/// One POST while it is put together.
class Draft {
  public:
    explicit Draft(const Client& client) : client_(client), parameters(client.arena) {}

    /// The client's own words: in a header, or as parameters. Where its secret is not set it is a public client.
    Result<> identify(ClientAuth auth) {
        const std::string_view secret = text_of(client_.rules.client_secret);
        const std::string_view id = text_of(client_.rules.client_id);
        if (auth == ClientAuth::basic && !secret.empty()) {
            const bool is_user = client_.rules.secret_is_user;
            if (id.empty() && !is_user) return no_client_id();
            auto made = basic(is_user ? secret : id, is_user ? "" : secret, client_.arena);
            if (!made) return result::refuse(std::move(made.error()));
            add_secret_header("Authorization", std::move(*made));
            return remember(secret);
        }
        if (client_.rules.client_id && id.empty()) return no_client_id();
        if (!id.empty()) parameters.set("client_id", id);
        if (auth == ClientAuth::post && !secret.empty()) {
            auto copied = SecretBuffer::copy(client_.arena, secret, secret::Share::tokens);
            if (!copied) return result::refuse(std::move(copied.error()));
            parameters.set("client_secret", *copied);
        }
        return {};
    }
    Result<> bear(const SecretBuffer& token) {
        auto made = authorization_header(client_.arena, "Bearer", token.size(), [&](SecretJsonWriter& writer) {
            token.expose([&](std::span<const std::byte> bytes) { writer.raw(secret::as_text(bytes)); });
        });
        if (!made) return result::refuse(std::move(made.error()));
        add_secret_header("Authorization", std::move(*made));
        return {};
    }
    Result<Prepared> finish(std::string_view url, BodyFormat format) {
        return finish(url, outbound::Method::post, format);
    }
    Result<Prepared> finish(std::string_view url, outbound::Method method, BodyFormat format) {
        auto body = format == BodyFormat::form ? parameters.as_form() : parameters.as_json();
        if (!body) return result::refuse(std::move(body.error()));
        auto made = finish(url, method);
        if (!made) return made;
        made->request.content_type =
            format == BodyFormat::form ? "application/x-www-form-urlencoded" : "application/json";
        made->request.body = std::move(*body);
        return made;
    }
    /// Without a body.
    Result<Prepared> finish(std::string_view url, outbound::Method method) {
        if (url.empty()) return no_url();
        if (auto added = add_entry_headers(); !added) return result::refuse(std::move(added.error()));
        for (const std::size_t index : secret_headers_) {
            auto copied = headers_[index].value.expose([&](std::span<const std::byte> bytes) {
                return SecretBuffer::copy(client_.arena, bytes, secret::Share::tokens);
            });
            if (!copied) return result::refuse(std::move(copied.error()));
            remembered_.push_back(std::move(*copied));
        }
        for (SecretBuffer& each : parameters.take_secrets()) remembered_.push_back(std::move(each));
        return Prepared{.request = {.method = method,
                                    .url = std::string(url),
                                    .headers = std::move(headers_),
                                    .body = {},
                                    .may_be_repeated = may_be_repeated},
                        .secrets = std::move(remembered_)};
    }

  private:
    std::string_view text_of(const std::optional<std::size_t>& field) const {
        return field && client_.values.has(*field) ? client_.values.text(*field) : std::string_view();
    }
    Result<> remember(std::string_view secret) {
        auto copied = SecretBuffer::copy(client_.arena, secret, secret::Share::tokens);
        if (!copied) return result::refuse(std::move(copied.error()));
        remembered_.push_back(std::move(*copied));
        return {};
    }
    void add_secret_header(std::string_view name, SecretBuffer value) {
        secret_headers_.push_back(headers_.size());
        headers_.push_back({.name = std::string(name), .value = std::move(value)});
    }
    Result<> add_entry_headers() {
        const auto is_set = [&](std::string_view name) {
            return std::ranges::any_of(headers_, [&](const auto& each) { return is_same_name(each.name, name); });
        };
        for (const catalog::Parameter& each : client_.rules.headers) {
            if ((each.value.needs & ~client_.values.present()) != 0 || is_set(each.name)) continue;
            auto value = fill(each.value, client_.values, client_.arena);
            if (!value) return result::refuse(std::move(value.error()));
            if ((each.value.needs & client_.values.secret()) != 0) secret_headers_.push_back(headers_.size());
            headers_.push_back({.name = each.name, .value = std::move(*value)});
        }
        if (is_set("Accept")) return {};
        auto json = SecretBuffer::copy(client_.arena, "application/json", secret::Share::tokens);
        if (!json) return result::refuse(std::move(json.error()));
        headers_.push_back({.name = "Accept", .value = std::move(*json)});
        return {};
    }

    const Client& client_;
    std::vector<outbound::Header> headers_;
    std::vector<std::size_t> secret_headers_;
    Secrets remembered_;

  public:
    Parameters parameters;
    bool may_be_repeated = false;
};

/// A request to the token URL by the terms. The entry's own parameters come last: they may replace a standard one.
Result<Prepared> token_request(Draft& draft, const Client& client) {
    if (auto named = draft.identify(client.terms.client_auth); !named) return result::refuse(std::move(named.error()));
    draft.parameters.set(client.rules.token_parameters, client.values);
    return draft.finish(client.terms.token_url, client.rules.body);
}

void set_scopes(Parameters& parameters, const Client& client) {
    const auto scopes = scopes_of(client.rules, client.values);
    if (!scopes.empty()) parameters.set(client.rules.scope_parameter, joined(scopes, client.rules.scope_separator));
}

} // namespace

Result<Authorization> make_authorization(const Client& client, std::string_view redirect_uri) {
    if (client.terms.authorize_url.empty()) return no_authorize_url();
    const auto id = client.rules.client_id;
    Authorization made;
    auto state = crypto::make_random_text(client.arena);
    if (!state) return result::refuse(std::move(state.error()));
    made.state = std::move(*state);
    Parameters query(client.arena);
    query.set("response_type", "code");
    if (id && (client.values.secret() >> *id & 1) == 0) {
        if (!client.values.has(*id)) return no_client_id();
        query.set("client_id", client.values.text(*id));
    }
    query.set("redirect_uri", redirect_uri);
    set_scopes(query, client);
    query.set("state", made.state);
    if (client.rules.pkce) {
        auto verifier = crypto::make_random_text(client.arena);
        if (!verifier) return result::refuse(std::move(verifier.error()));
        made.verifier = std::move(*verifier);
        query.set("code_challenge", crypto::challenge_of(made.verifier));
        query.set("code_challenge_method", "S256");
    }
    for (const catalog::Parameter& each : client.rules.authorize_parameters) {
        const auto value = fill_public(each.value, client.values); // what goes through a browser is no secret
        if (value) query.set(each.name, *value);
    }
    auto url = query.behind(client.terms.authorize_url);
    if (!url) return result::refuse(std::move(url.error()));
    made.url = std::move(*url);
    return made;
}

Result<Prepared> code_request(const Client& client, const SecretBuffer& code, const SecretBuffer& verifier,
                              std::string_view redirect_uri) {
    Draft draft(client);
    draft.parameters.set("grant_type", "authorization_code");
    draft.parameters.set("code", code);
    draft.parameters.set("redirect_uri", redirect_uri);
    if (!verifier.empty()) draft.parameters.set("code_verifier", verifier);
    return token_request(draft, client);
}

Result<Prepared> refresh_request(const Client& client, const SecretBuffer& refresh_token) {
    Draft draft(client);
    draft.may_be_repeated = is_harmless_twice(client.terms.refresh_class);
    draft.parameters.set("grant_type", "refresh_token");
    draft.parameters.set("refresh_token", refresh_token);
    if (auto named = draft.identify(client.terms.client_auth); !named) return result::refuse(std::move(named.error()));
    for (const auto& [name, value] : client.terms.refresh_parameters) draft.parameters.set(name, value);
    return draft.finish(client.terms.refresh_url, client.rules.body);
}

Result<Prepared> client_credentials_request(const Client& client) {
    Draft draft(client);
    draft.may_be_repeated = true; // what it gives is another token, and nothing is spent
    const std::string& own = client.rules.grant_type;
    draft.parameters.set("grant_type", own.empty() ? std::string_view("client_credentials") : own);
    set_scopes(draft.parameters, client);
    return token_request(draft, client);
}

Result<Prepared> device_request(const Client& client) {
    Draft draft(client);
    set_scopes(draft.parameters, client);
    if (auto named = draft.identify(client.terms.client_auth); !named) return result::refuse(std::move(named.error()));
    return draft.finish(client.terms.device_url, BodyFormat::form);
}

Result<Prepared> device_poll_request(const Client& client, const SecretBuffer& device_code) {
    Draft draft(client);
    draft.parameters.set("grant_type", "urn:ietf:params:oauth:grant-type:device_code");
    draft.parameters.set("device_code", device_code);
    return token_request(draft, client);
}

Result<Prepared> jwt_bearer_request(const Client& client, vocabulary::Time now) {
    const auto assertion = make_assertion(client, now);
    if (!assertion) return result::refuse(assertion.error());
    Draft draft(client);
    draft.may_be_repeated = !client.rules.jwt.has_id; // one with an id is good once
    if (client.rules.jwt.is_bearer) {
        if (auto added = draft.bear(*assertion); !added) return result::refuse(std::move(added.error()));
        draft.parameters.set(client.rules.token_parameters, client.values);
        return draft.finish(client.terms.token_url, client.rules.body);
    }
    draft.parameters.set("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
    draft.parameters.set("assertion", *assertion);
    const auto id = client.rules.client_id;
    if (id && client.values.has(*id)) { // else the assertion alone says who asks (RFC 7523 §3)
        return token_request(draft, client);
    }
    draft.parameters.set(client.rules.token_parameters, client.values);
    return draft.finish(client.terms.token_url, client.rules.body);
}

Result<Prepared> revoke_request(const Client& client, const SecretBuffer& token, TokenKind kind) {
    const catalog::Revocation standard;
    const catalog::Revocation& rules = client.rules.revocation ? *client.rules.revocation : standard;
    const auto method = rules.is_delete ? outbound::Method::del : outbound::Method::post;
    Draft draft(client);
    if (rules.is_bearer) {
        if (auto added = draft.bear(token); !added) return result::refuse(std::move(added.error()));
        return draft.finish(client.terms.revoke_url, method);
    }
    draft.parameters.set(rules.token_parameter, token);
    if (rules.token_parameter == "token") {
        draft.parameters.set("token_type_hint", kind == TokenKind::access ? "access_token" : "refresh_token");
    }
    if (auto named = draft.identify(rules.auth.value_or(client.terms.client_auth)); !named)
        return result::refuse(std::move(named.error()));
    return draft.finish(client.terms.revoke_url, method, rules.body);
}

Result<Prepared> field_request(const Client& client, std::string_view url, const SecretBuffer& access_token) {
    Draft draft(client);
    draft.may_be_repeated = true;
    if (auto added = draft.bear(access_token); !added) return result::refuse(std::move(added.error()));
    return draft.finish(url, outbound::Method::get);
}

} // namespace credlease::oauth
