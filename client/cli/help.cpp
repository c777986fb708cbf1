#include "cli/commands.hpp"
#include "cli/misuse.hpp"
#include "cli/terminal.hpp"

#include <algorithm>
#include <unistd.h>

namespace credlease::cli {
namespace {

struct Asked {
    std::vector<std::string> words;
};

Result<int> help(const CLI::App& program, const Asked& asked) {
    const CLI::App* command = &program;
    for (const std::string& word : asked.words) {
        const auto all = command->get_subcommands([](const CLI::App*) { return true; });
        const auto found = std::ranges::find_if(all, [&](const auto* each) { return each->get_name() == word; });
        if (found == all.end()) return no_such_command(*command, word);
        command = *found;
    }
    write_all(STDOUT_FILENO, help_of(*command));
    return exit_done;
}

} // namespace

void offer_help(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command.add_option("command", asked.words, "Of this command (default: the list of all)");
    };
    const auto run = [&program](const Invocation&, const Asked& asked) { return help(program, asked); };
    offer<Asked>(program, invocation, "help", "Say what a command does", describe, run);
}

} // namespace credlease::cli
