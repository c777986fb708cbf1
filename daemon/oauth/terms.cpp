#include "oauth/terms.hpp"

#include <algorithm>

namespace credlease::oauth {
namespace {

using catalog::Template;
using result::Result;

/// What the entry says, or the field's word; a field that is not set leaves it to the entry.
template <class Value> std::optional<Value> choose(const catalog::Chosen<Value>& chosen, const Values& values) {
    if (!chosen.field || !values.has(*chosen.field)) return chosen.value;
    return catalog::find_value<Value>(values.text(*chosen.field));
}

/// A URL of the entry, else the found one. A template whose fields are not set is left out; false where it makes no
/// endpoint.
bool set_url(std::string& url, const Template* filled, const Values& values, std::string_view found) {
    const bool is_given = filled != nullptr && (filled->needs & ~values.present()) == 0;
    if (!is_given) {
        url = found;
        return true;
    }
    url = fill_url(*filled, values).value_or("");
    return !url.empty();
}

/// What one issuer says is never where another's secrets go.
result::Failure has_moved() {
    return result::refuse({.code = result::ErrorCode::invalid_request,
                           .sentence = "The credential, or the OAuth client that it uses, names another issuer by now.",
                           .next_step = "Ask again."});
}

} // namespace

Result<Terms> make_terms(const catalog::OAuth& rules, const Values& values, const Discovered* found) {
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
    const auto in_entry = [](const std::optional<Template>& url) { return url ? &*url : nullptr; };
    const Template* revoke_url = rules.revocation ? &rules.revocation->url : nullptr;
    const bool all_fit = set_url(made.authorize_url, in_entry(rules.authorize_url), values, other.authorize_url) &&
                         set_url(made.token_url, in_entry(rules.token_url), values, other.token_url) &&
                         set_url(made.device_url, in_entry(rules.device_url), values, other.device_url) &&
                         set_url(made.revoke_url, revoke_url, values, other.revoke_url) &&
                         set_url(made.refresh_url, in_entry(rules.refresh_url), values, made.token_url);
    if (!all_fit || made.token_url.empty()) {
        return result::refuse({.code = result::ErrorCode::invalid_request,
                               .sentence = "The service's token URL is not known, or a field makes one of its URLs "
                                           "something else than an https URL.",
                               .next_step = "Set the URLs or the issuer, or mend the field that stands in them."});
    }
    return made;
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
