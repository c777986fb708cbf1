#include "oauth/discovery.hpp"

#include "oauth/answer_body.hpp"

#include <algorithm>
#include <utility>

namespace credlease::oauth {

using result::Result;

std::vector<std::string> discovery_urls(std::string_view issuer) {
    if (!is_endpoint(issuer) || issuer.contains('?')) return {};
    if (issuer.ends_with('/')) issuer.remove_suffix(1);
    const std::size_t path = std::min(issuer.find('/', issuer.find("://") + 3), issuer.size());
    const std::string host(issuer.substr(0, path));
    std::string oauth = host + "/.well-known/oauth-authorization-server";
    oauth += issuer.substr(path);
    return {std::move(oauth), std::string(issuer) + "/.well-known/openid-configuration"};
}

Result<outbound::Request> discovery_request(std::string url, secret::Arena& arena) {
    auto accept = secret::SecretBuffer::copy(arena, "application/json", secret::Share::tokens);
    if (!accept) return result::refuse(std::move(accept.error()));
    outbound::Request made;
    made.method = outbound::Method::get;
    made.may_be_repeated = true;
    made.url = std::move(url);
    made.headers.push_back({.name = "Accept", .value = std::move(*accept)});
    return made;
}

Result<std::optional<Discovered>> read_discovery(std::string_view issuer, const outbound::Answer& answer,
                                                 secret::Arena& arena) {
    auto read = AnswerBody::read(answer, arena);
    if (!read) return result::refuse(std::move(read.error()));
    if (answer.status != 200 || !*read || (*read)->text("/issuer").empty()) return std::optional<Discovered>();
    const AnswerBody& body = **read;
    if (body.text("/issuer") != issuer) {
        return result::refuse({.code = result::ErrorCode::invalid_request,
                               .sentence = "The issuer's metadata name another issuer.",
                               .next_step = "Give the issuer exactly as its own metadata write it.",
                               .field = result::PublicText::of("issuer")});
    }
    Discovered made{.issuer = std::string(issuer),
                    .authorize_url = {},
                    .token_url = {},
                    .device_url = {},
                    .revoke_url = {},
                    .sends_issuer = body.word("/authorization_response_iss_parameter_supported") == "true"};
    const std::pair<const char*, std::string*> urls[] = {
        {"/authorization_endpoint", &made.authorize_url},
        {"/token_endpoint", &made.token_url},
        {"/device_authorization_endpoint", &made.device_url},
        {"/revocation_endpoint", &made.revoke_url},
    };
    for (const auto& [at, url] : urls) {
        *url = body.text(at);
        if (!url->empty() && !is_endpoint(*url)) {
            return result::refuse({.code = result::ErrorCode::invalid_request,
                                   .sentence = "The issuer's metadata name an endpoint that is no https URL.",
                                   .field = result::PublicText::of("issuer")});
        }
    }
    return std::optional(std::move(made));
}

} // namespace credlease::oauth
