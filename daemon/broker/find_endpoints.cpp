#include "broker/find_endpoints.hpp"

#include "broker/find_credential.hpp"
#include "broker/send_in_share.hpp"
#include "broker/token_client.hpp"
#include "oauth/discovery.hpp"

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::refuse;

/// Where an entry finds its endpoints by an issuer that the fields name.
std::optional<std::string> issuer_of(const Unsealed& house, const vault::Entry& entry) {
    const auto kind = kind_of(house, entry.credential);
    if (!kind || !kind->auth->oauth) return std::nullopt;
    auto fields = entry.credential.fields;
    const auto client = takes_organizations_client(*kind->auth, entry)
                            ? house.vault->find_client(entry.credential.service.text())
                            : nullptr;
    if (client) {
        auto chosen = vault::with_chosen_hosts(*client, *kind->auth, fields);
        if (chosen) fields = std::move(*chosen); // else the authorization is refused for it
    }
    return oauth::find_issuer(*kind->auth->oauth, oauth::Values(*kind->auth, fields));
}

runtime::Task<result::Result<oauth::Discovered>> discover(Unsealed& house, std::string owner, std::string issuer) {
    for (const auto& url : oauth::discovery_urls(issuer)) {
        auto request = oauth::discovery_request(url, house.parts.arena);
        if (!request) co_return refuse(std::move(request.error()));
        auto answer = co_await send_in_share(house, owner, std::move(*request));
        if (!answer) co_return refuse(std::move(answer.error().error));
        auto found = oauth::read_discovery(issuer, *answer, house.parts.arena);
        if (!found) co_return refuse(std::move(found.error()));
        if (*found) co_return std::move(**found);
    }
    co_return refuse({.code = ErrorCode::upstream_failed,
                      .sentence = "The issuer has no metadata that name its endpoints.",
                      .next_step = "Give the endpoints' URLs themselves.",
                      .about = result::PublicText::of(issuer)});
}

} // namespace

runtime::Task<result::Result<oauth::Discovered>> find_endpoints(Unsealed& house, vocabulary::Scope scope,
                                                                vocabulary::CredentialId id) {
    const auto* entry = house.vault->find({&scope, 1}, id);
    if (entry == nullptr) co_return access::credential_not_found();
    auto issuer = issuer_of(house, *entry);
    if (!issuer) co_return oauth::Discovered();
    co_return co_await discover(house, scope.text(), std::move(*issuer));
}

} // namespace credlease::broker
