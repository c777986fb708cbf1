#pragma once

#include "cli/answers.hpp"
#include "cli/invocation.hpp"

#include <string>

namespace credlease::cli {

/// A refusal that concerns a credential which was named on the command line, said with its name: where nothing of that
/// name is reached, which --workspace it is in, as far as this caller sees it; where several are, what tells them
/// apart. `workspace` is the one that was looked in. Other refusals stay as they are.
[[nodiscard]] Error explain_naming(const Invocation& invocation, Client& client, Error error,
                                   const std::string& id_or_name, const std::string& workspace = "");

} // namespace credlease::cli
