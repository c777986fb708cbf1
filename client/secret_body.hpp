#pragma once

#include "credlease/client.hpp"
#include "secret/secret_buffer.hpp"

#include <string_view>
#include <vector>

namespace credlease::client {

/// `{MEMBERS,"fields":{…}}` in locked memory; `json_members` are JSON text without braces. A value that says it is JSON
/// and is not is `invalid_request` and names its field.
[[nodiscard]] Result<secret::SecretBuffer> write_fields(std::string_view json_members,
                                                        const std::vector<Client::FieldValue>& fields);

/// `{"MEMBER":"SECRET"}` in locked memory, behind the members of the JSON object `others`; empty: none.
[[nodiscard]] Result<secret::SecretBuffer> write_secret(std::string_view others, std::string_view member,
                                                        const SecretText& secret);

} // namespace credlease::client
