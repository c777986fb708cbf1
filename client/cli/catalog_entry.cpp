#include "cli/catalog_entry.hpp"

#include "cli/choices.hpp"
#include "cli/invocation.hpp"

#include <algorithm>

namespace credlease::cli {
namespace {

const json::array* array_at(const json::value& value, std::initializer_list<std::string_view> path) {
    const auto* found = find_at(value, path);
    return found == nullptr ? nullptr : found->if_array();
}

ServiceAuth read_auth(const json::value& entry) {
    ServiceAuth auth{.name = text_at(entry, {"name"}),
                     .fields = {},
                     .is_oauth = find_at(entry, {"oauth"}) != nullptr,
                     .client_id = text_at(entry, {"oauth", "client_id"}),
                     .client_secret = text_at(entry, {"oauth", "client_secret"})};
    if (const auto* fields = array_at(entry, {"fields"})) {
        for (const auto& field : *fields) auth.fields.push_back(read_field(field));
    }
    return auth;
}

bool takes_client(const ServiceAuth& auth) { return !auth.client_id.empty() && !auth.client_secret.empty(); }

Result<std::vector<ServiceAuth>> fetch_all(Client& client, const std::string& service) {
    const auto entry = get(client, Target("/v1/services").segment(service));
    if (!entry) return explain_service(client, entry.error(), service);
    std::vector<ServiceAuth> all;
    if (const auto* types = array_at(*entry, {"auth"})) {
        for (const auto& type : *types) all.push_back(read_auth(type));
    }
    return all;
}

/// The one of that name; empty: the first.
Result<ServiceAuth> choose(std::vector<ServiceAuth> types, const std::string& service, const std::string& name) {
    std::string names;
    for (ServiceAuth& type : types) {
        if (name.empty() || type.name == name) return std::move(type);
        names += (names.empty() ? "" : ", ") + type.name;
    }
    return usage("The service \"" + service + "\" has no auth type \"" + name + "\".", "It has: " + names + ".");
}

} // namespace

Error explain_service(Client& client, Error error, const std::string& service) {
    if (error.code != no_service_code) return error;
    std::vector<std::string> ids;
    if (const auto all = get_all(client, Target("/v1/services").also_for_workers(), 0)) {
        for (const auto& each : all->items) ids.push_back(text_at(each, {"id"}));
    }
    error.sentence = is_like_a_name(service) ? "The catalog has no service \"" + service + "\"."
                                             : "The catalog has no such service.";
    error.sentence += did_you_mean(service, ids);
    error.next_step = "See what there is with: credlease services";
    return error;
}

ServiceField read_field(const json::value& entry) {
    const auto* leased = find_at(entry, {"leased"});
    ServiceField field{.name = text_at(entry, {"name"}),
                       .label = text_at(entry, {"label"}),
                       .help = text_at(entry, {"help"}),
                       .type = text_at(entry, {"type"}),
                       .secret = is_true_at(entry, {"secret"}),
                       .required = is_true_at(entry, {"required"}),
                       .destination = is_true_at(entry, {"destination"}),
                       .leased = leased == nullptr || *leased != false,
                       .choices = {}};
    if (const auto* choices = array_at(entry, {"choices"})) {
        for (const auto& choice : *choices) field.choices.push_back(text_at(choice, {}));
    }
    return field;
}

const ServiceField* ServiceAuth::find(std::string_view field) const {
    const auto found = std::ranges::find(fields, field, &ServiceField::name);
    return found == fields.end() ? nullptr : &*found;
}

Result<ServiceAuth> fetch_auth(Client& client, const std::string& service, const std::string& auth) {
    auto types = fetch_all(client, service);
    if (!types) return types.error();
    return choose(std::move(*types), service, auth);
}

Result<ServiceAuth> fetch_client_auth(Client& client, const std::string& service, const std::string& auth) {
    auto types = fetch_all(client, service);
    if (!types) return types.error();
    std::erase_if(*types, [](const ServiceAuth& type) { return !takes_client(type); });
    if (types->empty()) {
        return usage("The service \"" + service + "\" takes no OAuth client.",
                     "Store a credential of it: credlease add " + service);
    }
    return choose(std::move(*types), service, auth);
}

} // namespace credlease::cli
