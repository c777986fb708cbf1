#pragma once

#include "credlease/client.hpp"

#include <functional>
#include <optional>
#include <string>

namespace credlease::cli {

/// Asks on the terminal for a line that everyone may see; `otherwise` is taken for an empty one.
[[nodiscard]] Result<std::string> ask(const std::string& question, const std::string& otherwise = "");

/// Asks for a secret: what is typed is not shown and goes straight into locked memory. The terminal is as it was
/// afterwards, also when a signal ends or stops the program meanwhile. `usage` where nobody can be asked.
[[nodiscard]] Result<SecretText> ask_secret(const std::string& question);

/// The same; or, where standard input is no terminal, what stands there, without the newline at its end.
[[nodiscard]] Result<SecretText> ask_or_read_secret(const std::string& question);

/// As ask_secret, unless the answer comes from elsewhere first: `is_needless` is asked each second. nullopt: it did.
[[nodiscard]] Result<std::optional<SecretText>> ask_secret_unless(const std::string& question,
                                                                  const std::function<bool()>& is_needless);

/// Yes or no; `usage` where nobody can be asked.
[[nodiscard]] Result<bool> ask_yes(const std::string& question, const std::string& option_instead);

} // namespace credlease::cli
