#include "broker/pace_of.hpp"

#include "broker/find_credential.hpp"
#include "broker/token_client.hpp"
#include "catalog/url.hpp"
#include "oauth/values.hpp"

#include <algorithm>

namespace credlease::broker {
namespace {

/// Of what is signed for (JWT bearer): whoever signs.
std::string signer_of(const catalog::OAuth& rules, const oauth::Values& values) {
    const auto issuer = std::ranges::find(rules.jwt_claims, "iss", &catalog::Parameter::name);
    if (issuer == rules.jwt_claims.end()) return {};
    return oauth::fill_public(issuer->value, values).value_or("");
}

/// A grant stays with the client that it was made with.
bool uses_organizations(const catalog::AuthType& auth, const vault::Entry& entry) {
    if (!entry.tokens) return takes_organizations_client(auth, entry);
    return entry.tokens->state.terms.client == vocabulary::ClientOwner::organization;
}

/// What a refresh of it takes of the arena: what lies there opened goes into its request too.
std::size_t room_for(const vault::Entry& entry) {
    return usual_exchange + 3 * (entry.sealed.size() + (entry.tokens ? entry.tokens->sealed.size() : 0));
}

} // namespace

RefreshSchedule::Client pace_of(const Unsealed& house, const vault::Entry& entry) {
    const auto kind = kind_of(house, entry.credential);
    if (!kind || !kind->auth->oauth) return {};
    const auto& rules = *kind->auth->oauth;
    std::string url, client;
    if (entry.tokens) {
        url = entry.tokens->state.terms.token_url;
        client = entry.tokens->state.terms.client_id;
    }
    if (url.empty() || client.empty()) {
        const oauth::Values values(*kind->auth, entry.credential.fields);
        if (url.empty() && rules.token_url) url = oauth::fill_url(*rules.token_url, values).value_or("");
        if (client.empty() && rules.client_id) client = values.text(*rules.client_id);
        if (client.empty()) client = signer_of(rules, values);
    }
    if (client.empty()) client = entry.credential.id.text();
    auto owner = owner_of(entry.credential, uses_organizations(*kind->auth, entry));
    std::string host(catalog::find_host(url).value_or(url));
    return {.key = {.owner = std::move(owner), .host = std::move(host), .client_id = std::move(client)},
            .budget = rules.budget,
            .grant_budget = rules.grant_budget,
            .room = room_for(entry)};
}

} // namespace credlease::broker
