#include "cli/misuse.hpp"

#include "cli/choices.hpp"
#include "cli/invocation.hpp"

#include <CLI/App.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <array>
#include <ranges>

namespace credlease::cli {
namespace {

/// These take the fields of a service, secrets among them: `--field client_secret=-`.
constexpr std::array take_fields = {"add", "edit", "oauth-client set"};
/// These take another secret.
constexpr std::array take_one_secret = {"reauthorize", "unseal"};
/// What the names of secrets end in.
constexpr std::array<std::string_view, 5> secrets = {"secret", "password", "passphrase", "token", "key"};

bool every_command(const CLI::App*) { return true; }
bool every_argument(const CLI::Option&) { return true; }

const CLI::App& innermost(const CLI::App& command) {
    const auto chosen = command.get_subcommands();
    return chosen.empty() ? command : innermost(*chosen.back());
}

/// "delete", "audit verify": as it is typed behind the program's name.
std::string typed_name(const CLI::App& command) {
    const CLI::App* parent = command.get_parent();
    if (parent == nullptr) return {};
    const std::string before = typed_name(*parent);
    return before.empty() ? command.get_name() : before + " " + command.get_name();
}

std::string see_help(const CLI::App& command) { return "See: " + full_name(command) + " --help"; }

bool is_option(const std::string& word) { return word.size() > 1 && word.starts_with('-'); }

/// Without the value behind "=".
std::string_view name_of(std::string_view option) { return option.substr(0, option.find('=')); }

Error no_such_option(const CLI::App& command, const std::string& word) {
    std::vector<std::string> names;
    for (const auto* each = &command; each != nullptr; each = each->get_parent()) {
        for (const auto* option : each->get_options()) {
            for (const auto& name : option->get_lnames()) names.push_back("--" + name);
        }
    }
    const std::string name(name_of(word));
    return usage(typed_name(command) + " has no option " + name + "." + did_you_mean(name, names), see_help(command));
}

/// "one workspace, one user": the arguments that `is_meant` picks.
std::string arguments_of(const CLI::App& command, bool (*is_meant)(const CLI::Option&)) {
    std::string text;
    for (const auto* option : command.get_options()) {
        if (!option->get_positional() || !is_meant(*option)) continue;
        text += (text.empty() ? "one " : ", one ") + option->get_name(true);
    }
    return text;
}

bool takes_fields(const CLI::App& command) {
    return std::ranges::find(take_fields, typed_name(command)) != take_fields.end();
}

/// What is typed behind it may be a secret: what is left over there is not repeated.
bool takes_secrets(const CLI::App& command) {
    return takes_fields(command) || std::ranges::find(take_one_secret, typed_name(command)) != take_one_secret.end();
}

bool names_a_secret(const std::string& word) {
    return is_option(word) &&
           std::ranges::any_of(secrets, [&](std::string_view secret) { return name_of(word).ends_with(secret); });
}

/// "--client-secret" is meant as the field client_secret.
std::string field_of(std::string_view option) {
    std::string field(name_of(option.substr(std::min(option.find_first_not_of('-'), option.size()))));
    std::ranges::replace(field, '-', '_');
    return field;
}

Error left_over(const CLI::App& command, const std::vector<std::string>& words) {
    const std::string takes = arguments_of(command, every_argument);
    std::string sentence = typed_name(command) + " takes " + (takes.empty() ? "options alone" : takes);
    if (!takes_secrets(command)) {
        sentence += "; left over:";
        for (const std::string& word : words) sentence += " " + word;
    } else {
        sentence += "; something is left over (not repeated here: it may be a secret)";
    }
    return usage(sentence + ".", see_help(command));
}

} // namespace

Error no_such_command(const CLI::App& command, const std::string& word) {
    std::vector<std::string> names;
    for (const auto* each : command.get_subcommands(every_command)) {
        names.push_back(each->get_name());
    }
    return usage(is_like_a_name(word) ? "There is no command \"" + word + "\"." + did_you_mean(word, names)
                                      : "There is no such command.",
                 "The commands are listed by: " + full_name(command) + " --help");
}

Error explain_misuse(const CLI::App& program, const CLI::ParseError& thrown) {
    const CLI::App& command = innermost(program);
    const auto words = program.remaining(true);
    const auto option = std::ranges::find_if(words, is_option);
    const auto word = std::ranges::find_if_not(words, is_option);
    if (&command == &program && word != words.end()) return no_such_command(program, *word);
    if (command.get_name() == "exec" && word != words.end()) return no_command_behind_dashes();
    const auto secret = std::ranges::find_if(words, names_a_secret);
    if (takes_fields(command) && secret != words.end()) return shows_in_ps(field_of(*secret));
    if (option != words.end()) return no_such_option(command, *option);
    const bool takes_commands = !command.get_subcommands(every_command).empty();
    if (takes_commands && word != words.end() && arguments_of(command, every_argument).empty()) {
        return no_such_command(command, *word);
    }
    if (!words.empty()) return left_over(command, words);
    const std::string missing = arguments_of(
        command, [](const CLI::Option& argument) { return argument.get_required() && argument.count() == 0; });
    if (!missing.empty()) return usage(typed_name(command) + " needs " + missing + ".", see_help(command));
    const bool repeats_a_value = dynamic_cast<const CLI::ConversionError*>(&thrown) != nullptr;
    if (repeats_a_value && takes_secrets(command)) {
        return usage("An option was given a value that it does not take (not repeated here: it may be a secret).",
                     see_help(command));
    }
    return usage(std::string(thrown.what()) + ".", see_help(command));
}

Error shows_in_ps(const std::string& field) {
    return usage("\"" + field +
                     "\" is a secret: as an argument it shows in ps(1) and stays in the shell's history. "
                     "Nothing was sent.",
                 "Say --field " + field + "=- to be asked for it (or to give it on standard input), or --field " +
                     field + "=@FILE. What was typed is best changed.");
}

bool is_bare(const CLI::App& program) { return &innermost(program) == &program && program.remaining(true).empty(); }

std::string full_name(const CLI::App& command) {
    const std::string name = typed_name(command);
    return name.empty() ? "credlease" : "credlease " + name;
}

std::string help_of(const CLI::App& command) {
    return command.get_formatter()->make_help(&command, full_name(command), CLI::AppFormatMode::Normal);
}

} // namespace credlease::cli
