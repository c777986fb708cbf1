#include "cli/catalog_entry.hpp"

#include "cli/invocation.hpp"

#include <algorithm>

namespace credlease::cli {
namespace {

const json::array* array_at(const json::value& value, std::initializer_list<std::string_view> path) {
    const auto* found = find_at(value, path);
    return found == nullptr ? nullptr : found->if_array();
}

ServiceAuth read_auth(const json::value& entry) {
    ServiceAuth auth{.name = text_at(entry, {"name"}), .fields = {}};
    if (const auto* fields = array_at(entry, {"fields"})) {
        for (const auto& field : *fields) auth.fields.push_back(read_field(field));
    }
    return auth;
}

} // namespace

ServiceField read_field(const json::value& entry) {
    ServiceField field{.name = text_at(entry, {"name"}),
                       .label = text_at(entry, {"label"}),
                       .help = text_at(entry, {"help"}),
                       .type = text_at(entry, {"type"}),
                       .secret = is_true_at(entry, {"secret"}),
                       .required = is_true_at(entry, {"required"}),
                       .destination = is_true_at(entry, {"destination"}),
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
    const auto entry = get(client, Target("/v1/services").segment(service));
    if (!entry) return entry.error();
    std::string names;
    if (const auto* types = array_at(*entry, {"auth"})) {
        for (const auto& type : *types) {
            const std::string name = text_at(type, {"name"});
            if (auth.empty() || name == auth) return read_auth(type);
            names += (names.empty() ? "" : ", ") + name;
        }
    }
    return usage("The service \"" + service + "\" has no auth type \"" + auth + "\".", "It has: " + names + ".");
}

} // namespace credlease::cli
