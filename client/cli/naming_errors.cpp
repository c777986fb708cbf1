#include "cli/naming_errors.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <strings.h>

namespace credlease::cli {
namespace {

constexpr const char* list_them = "See what there is with: credlease list";

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

/// The name without "workspace:" and its like.
std::string bare_name(const std::string& text) {
    for (const std::string_view prefix : {"personal:", "workspace:", "organization:"}) {
        if (text.starts_with(prefix)) return text.substr(prefix.size());
    }
    return text;
}

/// Those that the caller sees under this id or name. By way of the list: to be refused once more would be one more
/// entry in the audit log.
json::array find_seen(Client& client, const std::string& id_or_name) {
    constexpr std::size_t most = 500;
    const bool is_id = id_or_name.starts_with("cred_");
    const std::string name = bare_name(id_or_name);
    auto list = get_all(client, Target("/v1/credentials").query("q", is_id ? "" : name).also_for_workers(), most);
    json::array found;
    if (!list) return found;
    for (auto& item : list->items) {
        const std::string text = text_at(item, {is_id ? "id" : "name"});
        if (strcasecmp(text.c_str(), name.c_str()) == 0) found.push_back(std::move(item));
    }
    return found;
}

/// A grant is good for its own workspace: --workspace would change nothing.
bool has_grant() { return std::getenv("CREDLEASE_GRANT") != nullptr || std::getenv("CREDLEASE_GRANT_FILE") != nullptr; }

Error not_found(Client& client, Error error, const std::string& id_or_name, const std::string& workspace) {
    error.sentence = "There is no such credential that you can reach: " + quoted(id_or_name) + ".";
    error.next_step = list_them;
    if (has_grant()) return error;
    const std::string looked_in = workspace.empty() ? "default" : workspace;
    for (const auto& item : find_seen(client, id_or_name)) {
        const std::string other = text_at(item, {"scope", "workspace"});
        if (other.empty() || other == looked_in) continue;
        error.sentence = quoted(id_or_name) + " is in the workspace " + other + ", not in " + looked_in + ".";
        error.next_step = "Add --workspace " + other + ".";
    }
    return error;
}

Error ambiguous(const Invocation& invocation, Client& client, Error error, const std::string& name) {
    error.sentence = "Several credentials that you can use are called " + quoted(name) + ".";
    error.next_step = "Say the id of the one that is meant, or put personal:, workspace: or organization: before the "
                      "name.";
    if (invocation.json) return error; // a program takes an id out of the list
    for (const auto& item : find_seen(client, name)) {
        const auto candidate = std::ranges::find(error.candidates, text_at(item, {"id"}));
        if (candidate != error.candidates.end()) *candidate += "  " + scope_at(item);
    }
    return error;
}

} // namespace

Error explain_naming(const Invocation& invocation, Client& client, Error error, const std::string& id_or_name,
                     const std::string& workspace) {
    if (error.code == "credential_not_found") return not_found(client, std::move(error), id_or_name, workspace);
    if (error.code == "name_ambiguous") return ambiguous(invocation, client, std::move(error), id_or_name);
    const bool is_of_its_fields = error.code == "invalid_request" && error.field == "fields";
    constexpr std::array of_one = {"credential_revoked", "credential_expired", "credential_pending"};
    if (is_of_its_fields || std::ranges::find(of_one, error.code) != of_one.end()) {
        error.sentence = quoted(id_or_name) + ": " + error.sentence;
    }
    return error;
}

} // namespace credlease::cli
