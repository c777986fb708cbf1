#include "broker/find_credential.hpp"

#include <array>

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::refuse;

/// "workspace:Acme Slack" → the scopes of that kind, and "Acme Slack".
std::vector<vocabulary::Scope> picked(std::span<const vocabulary::Scope> scopes, std::string_view& name) {
    struct Prefix {
        std::string_view text;
        vocabulary::ScopeKind kind;
    };
    constexpr std::array<Prefix, 3> prefixes = {{{"personal:", vocabulary::ScopeKind::personal},
                                                 {"workspace:", vocabulary::ScopeKind::workspace},
                                                 {"organization:", vocabulary::ScopeKind::organization}}};
    std::vector<vocabulary::Scope> left(scopes.begin(), scopes.end());
    for (const auto& prefix : prefixes) {
        if (!name.starts_with(prefix.text)) continue;
        name.remove_prefix(prefix.text.size());
        std::erase_if(left, [&](const vocabulary::Scope& scope) { return scope.kind != prefix.kind; });
        break;
    }
    return left;
}

result::Result<const vault::Entry*> find_by_name(Unsealed& house, const access::Caller& caller,
                                                 access::Operation operation, std::span<const vocabulary::Scope> scopes,
                                                 std::string_view name) {
    const auto left = picked(scopes, name);
    const auto read = vocabulary::CredentialName::read(name);
    if (!read) return access::credential_not_found();
    auto found = house.vault->find_named(left, *read);
    std::erase_if(found, [&](const vault::Entry* entry) {
        const auto& credential = entry->credential;
        return !authorize(caller, operation, credential.scope, credential.id, credential.service);
    });
    if (found.empty()) return access::credential_not_found();
    if (found.size() == 1) return found.front();
    result::Error error{.code = ErrorCode::name_ambiguous,
                        .sentence = "Several credentials that you can use have this name.",
                        .next_step = "Put personal:, workspace: or organization: before the name, or use an id."};
    for (const auto* entry : found) error.candidates.push_back(result::PublicText::of(entry->credential.id.text()));
    return refuse(std::move(error));
}

} // namespace

result::Result<const vault::Entry*> find_credential(Unsealed& house, const access::Caller& caller,
                                                    access::Operation operation,
                                                    std::span<const vocabulary::Scope> scopes,
                                                    std::string_view id_or_name) {
    if (!id_or_name.starts_with(vocabulary::CredentialId::prefix)) {
        return find_by_name(house, caller, operation, scopes, id_or_name);
    }
    const auto id = vocabulary::CredentialId::find(id_or_name);
    const auto* entry = id ? house.vault->find(scopes, *id) : nullptr;
    if (entry == nullptr) return access::credential_not_found();
    const auto& credential = entry->credential;
    auto allowed = authorize(caller, operation, credential.scope, credential.id, credential.service);
    if (!allowed) return refuse(std::move(allowed.error()));
    return entry;
}

result::Result<const vault::Entry*> find_viewed(Unsealed& house, const access::Caller& caller,
                                                access::Operation operation, std::string_view id) {
    const auto scopes =
        view_scopes(caller, caller.every_scope ? house.vault->all_scopes() : std::vector<vocabulary::Scope>());
    return find_credential(house, caller, operation, scopes, id);
}

result::Result<Kind> kind_of(const Unsealed& house, const vocabulary::Credential& credential) {
    const auto* service = house.rules.catalog->find(credential.service.text());
    const auto* auth = service != nullptr ? service->find_auth(credential.auth) : nullptr;
    if (auth == nullptr) {
        return refuse({.code = ErrorCode::service_not_found,
                       .sentence = "The service of this credential is no longer in the catalog.",
                       .next_step = "Put its entry back into the catalog folder and reload the broker.",
                       .about = result::PublicText::of(credential.service.text())});
    }
    return Kind{.service = service, .auth = auth};
}

} // namespace credlease::broker
