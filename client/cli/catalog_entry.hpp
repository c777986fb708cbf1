#pragma once

#include "cli/answers.hpp"

#include <optional>
#include <string>
#include <vector>

namespace credlease::cli {

/// What the catalog says of one field (GET /v1/services/{id}).
struct ServiceField {
    std::string name;
    std::string label;
    std::string help;
    std::string type; ///< string, text, integer, boolean, list, map
    bool secret = false;
    bool required = false;
    bool destination = false; ///< decides where the secrets go
    bool leased = true;       ///< else only the broker uses it
    std::vector<std::string> choices;
};

/// Of a service that is not there: names the one that was probably meant. Another error stays as it is.
[[nodiscard]] Error explain_service(Client& client, Error error, const std::string& service);

[[nodiscard]] ServiceField read_field(const json::value& entry);

/// One auth type of a service.
struct ServiceAuth {
    std::string name;
    std::vector<ServiceField> fields;
    bool is_oauth = false;
    std::string client_id, client_secret; ///< which of them are an OAuth client's; empty: it takes none

    [[nodiscard]] const ServiceField* find(std::string_view field) const;
};

/// The fields of a service under `auth`; empty: its first auth type.
[[nodiscard]] Result<ServiceAuth> fetch_auth(Client& client, const std::string& service, const std::string& auth);

/// The same of those that an OAuth client can be for.
[[nodiscard]] Result<ServiceAuth> fetch_client_auth(Client& client, const std::string& service,
                                                    const std::string& auth);

} // namespace credlease::cli
