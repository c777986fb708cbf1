#include "broker/revoke_upstream.hpp"

#include "broker/authorizations.hpp"
#include "broker/find_endpoints.hpp"
#include "broker/send_in_share.hpp"
#include "broker/token_client.hpp"

namespace credlease::broker {
namespace {

using oauth::TokenKind;
using result::refuse;

constexpr std::string_view no_endpoint_found =
    "The issuer's metadata name no endpoint that revokes a token, or could not be read.";

result::Failure no_endpoint() {
    auto error = result::invalid("upstream", "The credential's service has no endpoint that revokes a secret.");
    error.next_step = "To end the secret there, change or delete it at the service itself.";
    return refuse(std::move(error));
}

/// `field` would say it.
result::Failure names_no_endpoint(std::string_view field) {
    auto error = result::invalid("upstream", "The credential's field that says where tokens are revoked is not set.");
    error.next_step =
        "To end these tokens, change or delete them at the service itself. Those that come once the field "
        "is set (credlease edit) and the credential is authorized anew can be revoked.";
    error.about = result::PublicText::of(field);
    return refuse(std::move(error));
}

/// Empty: it is dead there.
runtime::Task<std::string> revoke_one(Unsealed& house, const TokenClient& client, const secret::SecretBuffer& token,
                                      TokenKind kind) {
    if (client.terms().revoke_url.empty()) co_return std::string(no_endpoint_found);
    auto prepared = oauth::revoke_request(client.client(house.parts.arena), token, kind);
    if (!prepared) co_return std::string(prepared.error().sentence.view());
    auto answer = co_await send_in_share(house, client.owner(), std::move(prepared->request));
    if (!answer) co_return describe(oauth::refusal_of(answer.error()));
    auto read = oauth::read_revocation(client.rules(), prepared->secrets, *answer, house.parts.arena);
    if (!read) co_return std::string(read.error().sentence.view());
    co_return *read ? describe(**read) : std::string();
}

} // namespace

result::Result<> check_upstream(const Unsealed& house, const vault::Entry& entry) {
    const auto client = TokenClient::open(house, entry);
    if (!client || !client->rules().revocation) return no_endpoint();
    // Whether an issuer has one its metadata say, which are asked for once the credential is revoked here.
    if (client->terms().revoke_url.empty() && client->terms().issuer.empty()) {
        const auto field = client->missing_field(client->rules().revocation->url);
        return field.empty() ? no_endpoint() : names_no_endpoint(field);
    }
    if (entry.tokens) return {};
    return refuse(result::invalid("upstream", "The credential has no tokens that could be revoked."));
}

runtime::Task<result::Result<std::vector<RevokedToken>>> revoke_upstream(Unsealed& house, const vault::Entry& entry) {
    const auto found = co_await find_endpoints(house, entry.credential.scope, entry.credential.id);
    auto client = TokenClient::open(house, entry, found.value_or(oauth::Discovered()));
    if (!client) co_return refuse(std::move(client.error()));
    std::vector<RevokedToken> revoked;
    for (const auto& slot : client->rules().slots) {
        const auto* refresh = client->refresh_token(slot.name);
        if (refresh != nullptr && !client->rules().revocation->by_access_token) {
            auto failure = co_await revoke_one(house, *client, *refresh, TokenKind::refresh);
            revoked.push_back({.slot = slot.name, .is_refresh_token = true, .failure = std::move(failure)});
        }
        const auto* access = client->access_token(slot.name);
        if (access == nullptr) continue;
        auto failure = co_await revoke_one(house, *client, *access, TokenKind::access);
        revoked.push_back({.slot = slot.name, .is_refresh_token = false, .failure = std::move(failure)});
    }
    co_return revoked;
}

} // namespace credlease::broker
