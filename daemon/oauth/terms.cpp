#include "oauth/terms.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace credlease::oauth {
namespace {

using catalog::AuthType;
using catalog::Template;
using result::Result;
using result::StaticText;

/// What the entry says, or the field's word; a field that is not set leaves it to the entry.
template <class Value> std::optional<Value> choose(const catalog::Chosen<Value>& chosen, const Values& values) {
    if (!chosen.field || !values.has(*chosen.field)) return chosen.value;
    return catalog::find_value<Value>(values.text(*chosen.field));
}

bool is_given(const Template* filled, const Values& values) {
    return filled != nullptr && (filled->needs & ~values.present()) == 0;
}

/// A URL of the entry, which makes an endpoint, else the found one. A template whose fields are not set is left out.
void set_url(std::string& url, const Template* filled, const Values& values, std::string_view found) {
    url = is_given(filled, values) ? fill_url(*filled, values).value_or("") : std::string(found);
}

const Template* in_entry(const std::optional<Template>& url) { return url ? &*url : nullptr; }
const Template* revoke_url(const catalog::OAuth& rules) { return rules.revocation ? &rules.revocation->url : nullptr; }

/// `field` is the first of these that a template is made from; none where the entry alone says it.
result::Failure wrong_field(const AuthType& auth, std::uint32_t fields, StaticText sentence, StaticText next_step) {
    result::Error error{.code = result::ErrorCode::invalid_request, .sentence = sentence, .next_step = next_step};
    const auto first = static_cast<std::size_t>(std::countr_zero(fields));
    if (first < auth.fields.size()) error.field = result::PublicText::of("fields." + auth.fields[first].name);
    return result::refuse(std::move(error));
}

result::Failure no_endpoint(const AuthType& auth, const Template& url) {
    return wrong_field(auth, url.needs, "A field makes one of the service's URLs something else than an https URL.",
                       "Mend it: secrets go to https URLs alone, and to http on loopback.");
}

result::Failure no_token_url(const AuthType& auth, const Values& values) {
    const auto& rules = *auth.oauth;
    const std::uint32_t needs = rules.token_url ? rules.token_url->needs : rules.issuer ? rules.issuer->needs : 0;
    return wrong_field(auth, needs & ~values.present(),
                       "Nothing says where the tokens come from: the token URL is not known.",
                       "Set it, or the issuer where the service has one.");
}

/// Not set, and nothing sets it by itself: a default does, and what is required is asked for elsewhere.
bool stays_open(const AuthType& auth, const std::optional<Template>& filled, const Values& values) {
    if (!filled) return true;
    for (std::size_t i = 0; i < auth.fields.size(); ++i) {
        const auto& field = auth.fields[i];
        const bool is_open = (filled->needs >> i & 1) != 0 && !values.has(i) && !field.default_value && !field.required;
        if (is_open) return true;
    }
    return false;
}

/// Whether each URL of the entry whose fields are set is an endpoint.
Result<> check_urls(const AuthType& auth, const Values& values) {
    const auto& rules = *auth.oauth;
    const std::array all = {in_entry(rules.authorize_url), in_entry(rules.token_url), in_entry(rules.device_url),
                            revoke_url(rules), in_entry(rules.refresh_url)};
    for (const Template* url : all) {
        if (is_given(url, values) && !fill_url(*url, values)) return no_endpoint(auth, *url);
    }
    return {};
}

/// What one issuer says is never where another's secrets go.
result::Failure has_moved() {
    return result::refuse({.code = result::ErrorCode::invalid_request,
                           .sentence = "The credential, or the OAuth client that it uses, names another issuer by now.",
                           .next_step = "Ask again."});
}

} // namespace

Result<> check_places(const AuthType& type, const Values& values, bool are_all) {
    if (auto fit = check_urls(type, values); !fit) return fit;
    const auto& rules = *type.oauth;
    const Template* issuer = in_entry(rules.issuer);
    if (is_given(issuer, values) && !fill_url(*issuer, values)) return no_endpoint(type, *issuer);
    const bool is_unknown = stays_open(type, rules.token_url, values) && stays_open(type, rules.issuer, values);
    return are_all && is_unknown ? no_token_url(type, values) : Result<>();
}

Result<Terms> make_terms(const AuthType& type, const Values& values, const Discovered* found) {
    const auto& rules = *type.oauth;
    const auto flow = choose(rules.flow, values);
    const auto auth = choose(rules.client_auth, values);
    const auto refresh = choose(rules.refresh_class, values);
    if (!flow || !auth || !refresh) {
        return result::refuse({.code = result::ErrorCode::invalid_request,
                               .sentence = "A field chooses a flow, a client authentication or a refresh class that "
                                           "does not exist."});
    }
    const Discovered nothing;
    const Discovered& other = found != nullptr ? *found : nothing;
    const auto issuer = find_issuer(rules, values).value_or("");
    if (!other.issuer.empty() && other.issuer != issuer) return has_moved();
    Terms made;
    made.flow = *flow;
    made.client_auth = *auth;
    made.refresh_class = *refresh;
    for (const auto& each : rules.refresh_parameters) {
        if (auto value = fill_public(each.value, values)) made.refresh_parameters[each.name] = std::move(*value);
    }
    made.issuer = issuer;
    made.sends_issuer = other.sends_issuer;
    if (auto fit = check_urls(type, values); !fit) return result::refuse(std::move(fit.error()));
    set_url(made.authorize_url, in_entry(rules.authorize_url), values, other.authorize_url);
    set_url(made.token_url, in_entry(rules.token_url), values, other.token_url);
    set_url(made.device_url, in_entry(rules.device_url), values, other.device_url);
    set_url(made.revoke_url, revoke_url(rules), values, other.revoke_url);
    set_url(made.refresh_url, in_entry(rules.refresh_url), values, made.token_url);
    if (made.token_url.empty()) return no_token_url(type, values);
    return made;
}

std::string missing_field(const AuthType& type, const Template& url, const Values& values) {
    const auto first = static_cast<std::size_t>(std::countr_zero(url.needs & ~values.present()));
    return first < type.fields.size() ? type.fields[first].name : std::string();
}

std::optional<catalog::Flow> find_flow(const catalog::AuthType& auth, const vocabulary::PublicFields& fields) {
    const auto& flow = auth.oauth->flow;
    if (!flow.field) return flow.value;
    const auto found = fields.find(auth.fields[*flow.field].name);
    if (found == fields.end()) return flow.value;
    const auto* word = std::get_if<std::string>(&found->second);
    return word != nullptr ? catalog::find_value<catalog::Flow>(*word) : std::nullopt;
}

std::optional<std::string> find_issuer(const catalog::OAuth& rules, const Values& values) {
    return rules.issuer ? fill_url(*rules.issuer, values) : std::nullopt;
}

std::vector<std::string> scopes_of(const catalog::OAuth& rules, const Values& values) {
    std::vector<std::string> words;
    if (rules.scopes && values.has(*rules.scopes)) words = values.words(*rules.scopes);
    for (const std::string& scope : rules.default_scopes) {
        if (std::ranges::find(words, scope) == words.end()) words.push_back(scope);
    }
    return words;
}

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
    std::string text;
    for (const std::string& word : words) {
        if (!text.empty()) text += separator;
        text += word;
    }
    return text;
}

} // namespace credlease::oauth
