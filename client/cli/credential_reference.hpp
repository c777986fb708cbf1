#pragma once

#include "cli/answers.hpp"
#include "cli/invocation.hpp"

#include <string>

namespace credlease::cli {

/// A credential that was named on the command line, as it is now.
struct FoundCredential {
    std::string id;
    std::string name;
    std::string etag;
    json::value entry;
};

/// By id or name (`personal:`, `workspace:` or `organization:` before it picks the scope).
[[nodiscard]] Result<FoundCredential> find_credential(const Invocation& invocation, Client& client,
                                                      const std::string& id_or_name);

/// The id alone; an id is taken as it is, though nothing of that id may be there any more.
[[nodiscard]] Result<std::string> find_id(const Invocation& invocation, Client& client, const std::string& id_or_name);

/// POST /v1/credentials/ID/ACTION, of the revision that was found; the credential as it is then.
[[nodiscard]] Result<json::value> send_action(Client& client, const FoundCredential& found, const std::string& action,
                                              const json::object& asked = {});

/// "personal", "workspace:W" or "organization" as the API's object.
[[nodiscard]] Result<json::object> read_scope(const std::string& text);

/// `"a":1,"b":2`: a body's members without the braces, for Client::send_fields.
[[nodiscard]] std::string members_of(const json::object& object);

} // namespace credlease::cli
