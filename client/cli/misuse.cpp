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

/// What is typed behind these may be a secret: what is left over there is not repeated.
constexpr std::array take_secrets = {"add", "edit", "reauthorize", "unseal"};

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

Error no_such_option(const CLI::App& command, const std::string& word) {
    std::vector<std::string> names;
    for (const auto* each = &command; each != nullptr; each = each->get_parent()) {
        for (const auto* option : each->get_options()) {
            for (const auto& name : option->get_lnames()) names.push_back("--" + name);
        }
    }
    const std::string name = word.substr(0, word.find('='));
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

bool takes_secrets(const CLI::App& command) {
    return std::ranges::find(take_secrets, command.get_name()) != take_secrets.end();
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

bool is_bare(const CLI::App& program) { return &innermost(program) == &program && program.remaining(true).empty(); }

std::string full_name(const CLI::App& command) {
    const std::string name = typed_name(command);
    return name.empty() ? "credlease" : "credlease " + name;
}

std::string help_of(const CLI::App& command) {
    return command.get_formatter()->make_help(&command, full_name(command), CLI::AppFormatMode::Normal);
}

} // namespace credlease::cli
