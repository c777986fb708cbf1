#include "vault/clients.hpp"

#include <algorithm>

namespace credlease::vault {
namespace {

using catalog::AuthType;
using catalog::Template;
using result::refuse;
using result::Result;

std::uint32_t bit(std::size_t index) { return std::uint32_t{1} << index; }

std::uint32_t needs_of(const std::optional<Template>& url) { return url ? url->needs : 0; }

/// Whether the URL can be made from `given` alone.
bool is_chosen(const std::optional<Template>& url, std::uint32_t given) { return url && (url->needs & ~given) == 0; }

template <class Use> void for_each_field(const AuthType& auth, const Use& use) {
    const std::uint32_t mask = client_fields(auth);
    for (std::size_t i = 0; i < auth.fields.size(); ++i) {
        if ((mask & bit(i)) != 0) use(i, auth.fields[i]);
    }
}

result::Failure goes_elsewhere(const catalog::Field& field) {
    auto error = result::invalid("fields." + field.name, "The organization's OAuth client is not for this place.");
    error.next_step = "Leave the field out, or give the credential a client of its own (client_id, client_secret).";
    return refuse(std::move(error));
}

} // namespace

bool takes_client(const AuthType& auth) { return auth.oauth && auth.oauth->client_id && auth.oauth->client_secret; }

std::uint32_t client_fields(const AuthType& auth) {
    if (!auth.oauth) return 0;
    const catalog::OAuth& oauth = *auth.oauth;
    std::uint32_t mask = needs_of(oauth.authorize_url) | needs_of(oauth.token_url) | needs_of(oauth.refresh_url) |
                         needs_of(oauth.device_url) | needs_of(oauth.issuer);
    if (oauth.revocation) mask |= oauth.revocation->url.needs;
    for (const auto& answered : oauth.answer_fields) mask |= needs_of(answered.url);
    for (std::size_t i = 0; i < auth.fields.size(); ++i) {
        const catalog::Field& field = auth.fields[i];
        const bool is_place = field.destination && field.source == catalog::Source::person && !field.secret &&
                              field.type == vocabulary::FieldType::string;
        if (!is_place) mask &= ~bit(i);
    }
    return mask;
}

Result<std::map<std::string, std::string>> choose_hosts(const AuthType& auth,
                                                        std::map<std::string, std::string> given) {
    if (!auth.oauth->has_chosen_host) return given;
    std::uint32_t chosen = ~client_fields(auth);
    for_each_field(auth, [&](std::size_t index, const catalog::Field& field) {
        const auto* fallback = field.default_value ? std::get_if<std::string>(&*field.default_value) : nullptr;
        if (fallback) given.try_emplace(field.name, *fallback);
        if (given.contains(field.name)) chosen |= bit(index);
    });
    if (is_chosen(auth.oauth->token_url, chosen) || is_chosen(auth.oauth->issuer, chosen)) return given;
    std::string names;
    const std::uint32_t open = needs_of(auth.oauth->token_url) | needs_of(auth.oauth->issuer);
    for_each_field(auth, [&](std::size_t index, const catalog::Field& field) {
        if ((open & bit(index)) != 0) names += (names.empty() ? "" : ", ") + field.name;
    });
    auto error = result::invalid("fields", "The organization chooses where its client's secret goes, and no field says "
                                           "where its tokens come from");
    error.next_step = "Give one of them with the client (credlease oauth-client set SERVICE --field NAME=VALUE).";
    error.about = result::PublicText::of(names);
    return refuse(std::move(error));
}

Result<vocabulary::PublicFields> with_chosen_hosts(const OAuthClient& client, const AuthType& auth,
                                                   vocabulary::PublicFields of_credential) {
    if (client.auth != auth.name) {
        auto error = result::invalid("auth", "The organization's OAuth client is for another auth type.");
        error.next_step = "Give the credential a client of its own (client_id, client_secret).";
        return refuse(std::move(error));
    }
    const catalog::Field* elsewhere = nullptr;
    for_each_field(auth, [&](std::size_t, const catalog::Field& field) {
        const auto chosen = client.fields.find(field.name);
        const auto own = of_credential.find(field.name);
        const bool is_bound = chosen != client.fields.end() || auth.oauth->has_chosen_host;
        if (own != of_credential.end()) {
            const auto* text = std::get_if<std::string>(&own->second);
            const bool agrees = text && chosen != client.fields.end() && *text == chosen->second;
            if (is_bound && !agrees) elsewhere = &field;
        } else if (chosen != client.fields.end()) {
            of_credential.emplace(field.name, chosen->second);
        }
    });
    if (elsewhere) return goes_elsewhere(*elsewhere);
    return of_credential;
}

} // namespace credlease::vault
