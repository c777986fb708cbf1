#pragma once

#include "credlease/client.hpp"

#include <string>

namespace CLI {
class App;
class ParseError;
} // namespace CLI

namespace credlease::cli {

/// What was typed is no command line of this program: what is wrong with it, in the words of its command.
[[nodiscard]] Error explain_misuse(const CLI::App& program, const CLI::ParseError& thrown);

/// `word` is no subcommand of `command`; names the one that was probably meant.
[[nodiscard]] Error no_such_command(const CLI::App& command, const std::string& word);

/// The secret of `field` was typed as an argument.
[[nodiscard]] Error shows_in_ps(const std::string& field);

/// Whether no command was named at all.
[[nodiscard]] bool is_bare(const CLI::App& program);

/// "credlease audit verify" for that subcommand.
[[nodiscard]] std::string full_name(const CLI::App& command);

/// What `--help` prints for this command. CLI::App::help would show the subcommand that was parsed instead.
[[nodiscard]] std::string help_of(const CLI::App& command);

} // namespace credlease::cli
