#include "broker/token_client.hpp"

#include "broker/find_credential.hpp"
#include "outbound/url.hpp"

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::refuse;

result::Failure not_oauth() {
    return refuse(result::invalid("credential", "The credential's tokens are not got by OAuth."));
}

/// A grant keeps where its refreshes go; the rest is the entry's.
oauth::Discovered kept_by(const vocabulary::GrantTerms& grant) {
    oauth::Discovered kept;
    kept.token_url = grant.token_url;
    return kept;
}

/// A grant stays with the client that it was made with.
bool uses_organizations(const catalog::AuthType& auth, const vault::Entry& entry, const vocabulary::GrantTerms* kept) {
    if (!kept) return takes_organizations_client(auth, entry);
    return vault::takes_client(auth) && kept->client == vocabulary::ClientOwner::organization;
}

/// "login.example.org:443"; empty: no URL.
std::string place_of(std::string_view text) {
    const auto url = outbound::read_url(text);
    return url ? url->host + ':' + std::to_string(url->port) : std::string();
}

result::Failure asks_otherwise() {
    return refuse({.code = ErrorCode::version_conflict,
                   .sentence = "The credential was changed meanwhile.",
                   .next_step = "Begin the authorization again."});
}

result::Failure client_has_moved() {
    return refuse({.code = ErrorCode::invalid_request,
                   .sentence = "The organization's OAuth client is for another place now than this grant was made at.",
                   .next_step = "Authorize the credential anew, or set the client back (credlease oauth-client set)."});
}

result::Failure no_client(bool was_there) {
    if (was_there) {
        return refuse({.code = ErrorCode::invalid_request,
                       .sentence = "The organization's OAuth client that this grant was made with is no more.",
                       .next_step = "Put it back (credlease oauth-client set), or authorize the credential anew."});
    }
    return refuse({.code = ErrorCode::invalid_request,
                   .sentence = "The credential names no OAuth client, and the organization has none for its service.",
                   .next_step = "Give it client_id and client_secret, or set the organization's (credlease "
                                "oauth-client set)."});
}

result::Failure not_for_itself() {
    return refuse(
        {.code = ErrorCode::forbidden,
         .sentence = "The organization's OAuth client is for what people consent to, not for tokens of its own.",
         .next_step = "Give the credential a client of its own for this flow."});
}

} // namespace

bool takes_organizations_client(const catalog::AuthType& auth, const vault::Entry& entry) {
    return vault::takes_client(auth) && !entry.credential.fields.contains(auth.fields[*auth.oauth->client_id].name);
}

std::string owner_of(const vocabulary::Credential& credential, bool is_organizations) {
    return is_organizations ? credential.service.text() + " of the organization" : credential.scope.text();
}

bool is_automatic(catalog::Flow flow) {
    return flow == catalog::Flow::client_credentials || flow == catalog::Flow::jwt_bearer;
}

bool asks_anew(const Unsealed& house, const vault::Entry& entry) {
    if (!entry.tokens) return true;
    const auto kind = kind_of(house, entry.credential);
    if (!kind || !kind->auth->oauth || !kind->auth->oauth->client_id) return false;
    const auto flow = oauth::find_flow(*kind->auth, entry.credential.fields);
    if (!flow || !is_automatic(*flow)) return false;
    const oauth::Values values(*kind->auth, entry.credential.fields);
    return values.text(*kind->auth->oauth->client_id) != entry.tokens->state.terms.client_id;
}

result::Result<TokenClient> TokenClient::open(const Unsealed& house, const vault::Entry& entry,
                                              const oauth::Discovered& found) {
    return open_for(house, entry, entry.tokens ? &entry.tokens->state.terms : nullptr, found);
}

result::Result<TokenClient> TokenClient::open_anew(const Unsealed& house, const vault::Entry& entry,
                                                   const oauth::Discovered& found) {
    return open_for(house, entry, nullptr, found);
}

result::Result<TokenClient> TokenClient::open_again(const Unsealed& house, const vault::Entry& entry,
                                                    const AskedWith& asked) {
    auto client = open_anew(house, entry, asked.found);
    if (client) {
        auto now = client->asked_with();
        if (!asked.secrets) now.secrets.reset();
        if (now == asked) return client;
    }
    const bool has_changed = client || client.error().code == ErrorCode::invalid_request ||
                             client.error().code == ErrorCode::service_not_found;
    if (has_changed) return asks_otherwise();
    return client;
}

result::Result<TokenClient> TokenClient::open_for(const Unsealed& house, const vault::Entry& entry,
                                                  const vocabulary::GrantTerms* kept, const oauth::Discovered& found) {
    auto kind = kind_of(house, entry.credential);
    if (!kind) return refuse(std::move(kind.error()));
    if (!kind->auth->oauth) return not_oauth();
    auto grant = house.vault->open_grant(entry);
    if (!grant) return refuse(std::move(grant.error()));
    TokenClient opened(house.rules.catalog, *kind->auth, std::move(*grant));
    opened.fingerprint_ = entry.fingerprint;
    opened.take_fields(entry.credential.fields);
    const bool is_organizations = uses_organizations(*kind->auth, entry, kept);
    opened.owner_ = owner_of(entry.credential, is_organizations);
    if (is_organizations) {
        auto taken = opened.take_organizations(house, entry, kept);
        if (!taken) return refuse(std::move(taken.error()));
    } else if (kept && opened.rules().client_id) {
        const auto client_id = *opened.rules().client_id;
        opened.names_another_client_ = opened.values_.text(client_id) != kept->client_id;
        opened.values_.set_public(client_id, kept->client_id);
    }
    if (auto taken = opened.take_secrets(house.parts.arena); !taken) return refuse(std::move(taken.error()));
    if (auto made = opened.make_terms(kept, found); !made) return refuse(std::move(made.error()));
    return opened;
}

result::Result<> TokenClient::take_organizations(const Unsealed& house, const vault::Entry& entry,
                                                 const vocabulary::GrantTerms* kept) {
    const auto client = house.vault->find_client(entry.credential.service.text());
    if (!client || (kept && kept->client_id != client->client_id)) return no_client(kept != nullptr);
    auto fields = vault::with_chosen_hosts(*client, *auth_, entry.credential.fields);
    if (!fields) return refuse(std::move(fields.error()));
    take_fields(*fields);
    values_.set_public(*rules().client_id, client->client_id);
    organizations_ = client;
    if (!rules().client_secret) return {};
    auto secret = house.vault->open_client(*client);
    if (!secret) return refuse(std::move(secret.error()));
    take_secret(*rules().client_secret, std::move(*secret));
    return {};
}

void TokenClient::take_fields(const vocabulary::PublicFields& fields) {
    values_ = oauth::Values(*auth_, fields);
    destinations_.clear();
    for (const auto& field : auth_->fields) {
        const auto given = fields.find(field.name);
        const bool is_chosen = field.destination && field.source == catalog::Source::person && given != fields.end();
        if (is_chosen) destinations_.insert(*given);
    }
}

result::Result<> TokenClient::take_secrets(secret::Arena& arena) {
    const auto& fields = auth_->fields;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (!fields[i].secret || fields[i].source != catalog::Source::person) continue;
        if (organizations_ && rules().client_secret == i) continue;
        auto value = grant_.copy_field(fields[i].name, arena);
        if (!value) return refuse(std::move(value.error()));
        take_secret(i, std::move(*value));
    }
    return {};
}

void TokenClient::take_secret(std::size_t field, secret::SecretBuffer value) {
    if (value.empty()) return;
    fields_.push_back(std::move(value));
    // It lies in its slot of the arena as long as `fields_` holds it, wherever this is moved to.
    const char* text = nullptr;
    fields_.back().expose([&](std::span<const std::byte> bytes) { text = secret::as_text(bytes).data(); });
    values_.set_secret(field, {text, fields_.back().size()});
}

result::Result<> TokenClient::check_place(const vocabulary::GrantTerms& kept) const {
    if (vault::client_fields(*auth_) == 0) return {};    // the entry alone says where
    const auto now = oauth::make_terms(*auth_, values_); // without an issuer's help
    const bool is_named_by_same = !kept.issuer.empty() && oauth::find_issuer(rules(), values_) == kept.issuer;
    const bool is_same = now ? place_of(now->token_url) == place_of(kept.token_url) : is_named_by_same;
    return is_same ? result::Result<>() : client_has_moved();
}

result::Result<> TokenClient::make_terms(const vocabulary::GrantTerms* kept, const oauth::Discovered& found) {
    const auto known = kept && found.token_url.empty() ? kept_by(*kept) : found;
    auto terms = oauth::make_terms(*auth_, values_, &known);
    if (!terms) return refuse(std::move(terms.error()));
    terms_ = std::move(*terms);
    found_ = found;
    if (organizations_ && is_automatic(terms_.flow)) return not_for_itself();
    if (!kept) return {};
    if (organizations_) {
        if (auto same = check_place(*kept); !same) return same;
    }
    if (!has_word_on_client_auth(*kept)) terms_.client_auth = kept->client_auth;
    const bool has_one_url = terms_.refresh_url == terms_.token_url;
    terms_.token_url = kept->token_url;
    if (has_one_url) terms_.refresh_url = kept->token_url;
    terms_.refresh_parameters = kept->parameters;
    return {};
}

bool TokenClient::has_word_on_client_auth(const vocabulary::GrantTerms& kept) const {
    const auto& field = rules().client_auth.field;
    return field && values_.has(*field) && !names_another_client_ && terms_.token_url == kept.token_url;
}

const secret::SecretBuffer* TokenClient::refresh_token(std::string_view slot) const {
    for (const auto& token : grant_.tokens) {
        if (token.slot == slot && !token.refresh_token.empty()) return &token.refresh_token;
    }
    return nullptr;
}

const secret::SecretBuffer* TokenClient::access_token(std::string_view slot) const {
    for (const auto& token : grant_.tokens) {
        if (token.slot == slot && !token.access_token.empty()) return &token.access_token;
    }
    return nullptr;
}

bool TokenClient::is_outdated(const Unsealed& house, const vault::Entry& entry) const {
    if (!organizations_) return entry.fingerprint != fingerprint_;
    return house.vault->find_client(organizations_->service.text()) != organizations_;
}

vocabulary::GrantTerms TokenClient::grant_terms() const {
    vocabulary::GrantTerms kept;
    kept.token_url = terms_.token_url;
    const bool is_found = !oauth::make_terms(*auth_, values_); // the fields do not say it
    if (is_found) kept.issuer = terms_.issuer;
    kept.client_auth = terms_.client_auth;
    if (organizations_) kept.client = vocabulary::ClientOwner::organization;
    if (rules().client_id) kept.client_id = values_.text(*rules().client_id);
    kept.scopes = oauth::scopes_of(rules(), values_);
    kept.parameters = terms_.refresh_parameters;
    return kept;
}

AskedWith TokenClient::asked_with() const {
    return {.found = found_,
            .terms = terms_,
            .grant = grant_terms(),
            .destinations = destinations_,
            .secrets = fingerprint_};
}

} // namespace credlease::broker
