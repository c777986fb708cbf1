#pragma once

#include "cli/catalog_entry.hpp"

#include <string>
#include <vector>

namespace credlease::cli {

/// Reads `--field` options: NAME=VALUE for what may be seen, NAME=@FILE and NAME=- (standard input, once; on a terminal
/// it is asked for) for secrets and long texts. A secret's value on the command line is refused: it shows in ps(1).
/// Values take the type that the catalog gives their field: a list is JSON or a,b,c; a map is JSON.
[[nodiscard]] Result<std::vector<Client::FieldValue>> read_fields(const ServiceAuth& auth,
                                                                  const std::vector<std::string>& options);

/// Asks on the terminal for the required fields that `given` lacks; `usage` names them where nobody can be asked.
Result<void> ask_for_missing(const ServiceAuth& auth, std::vector<Client::FieldValue>& given);

/// Asks on the terminal for the secret of a client whose ID is in `given`: a provider refuses a client whose secret was
/// forgotten only once a person has agreed. An empty answer: a public client.
Result<void> ask_for_client_secret(const ServiceAuth& auth, std::vector<Client::FieldValue>& given);

} // namespace credlease::cli
