#include "cli/credential_reference.hpp"

#include "cli/naming_errors.hpp"

#include <boost/json/serialize.hpp>

namespace credlease::cli {

Result<FoundCredential> find_credential(const Invocation& invocation, Client& client, const std::string& id_or_name) {
    const auto answer = client.send({.path = Target("/v1/credentials").segment(id_or_name).text()});
    if (!answer) return explain_naming(invocation, client, answer.error(), id_or_name);
    auto entry = read_json(*answer);
    if (!entry) return entry.error();
    return FoundCredential{.id = text_at(*entry, {"id"}),
                           .name = text_at(*entry, {"name"}),
                           .etag = answer->etag,
                           .entry = std::move(*entry)};
}

Result<std::string> find_id(const Invocation& invocation, Client& client, const std::string& id_or_name) {
    if (id_or_name.starts_with("cred_")) return id_or_name;
    auto found = find_credential(invocation, client, id_or_name);
    if (!found) return found.error();
    return found->id;
}

Result<json::value> send_action(Client& client, const FoundCredential& found, const std::string& action,
                                const json::object& asked) {
    const Target target = Target("/v1/credentials").segment(found.id).segment(action);
    const auto answer =
        client.send({.method = "POST", .path = target.text(), .json = json::serialize(asked), .if_match = found.etag});
    if (!answer) return answer.error();
    return read_json(*answer);
}

Result<json::object> read_scope(const std::string& text) {
    if (text == "personal" || text == "organization") return json::object{{"kind", text}};
    constexpr std::string_view prefix = "workspace:";
    if (text.starts_with(prefix) && text.size() > prefix.size()) {
        return json::object{{"kind", "workspace"}, {"workspace", text.substr(prefix.size())}};
    }
    return usage("A --scope is personal, workspace:W or organization.");
}

std::string members_of(const json::object& object) {
    const std::string text = json::serialize(object);
    return text.substr(1, text.size() - 2);
}

} // namespace credlease::cli
