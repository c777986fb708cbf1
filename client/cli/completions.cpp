#include "cli/commands.hpp"
#include "cli/terminal.hpp"

#include <unistd.h>

namespace credlease::cli {
namespace {

struct Asked {
    std::string shell;
};

/// What may follow on one command: the words of its path, then its subcommands and options.
struct Level {
    std::string path; ///< "", "audit", "audit verify"
    std::string words;
    std::string subcommands;
};

std::string words_of(const CLI::App& command) {
    std::string words;
    for (const auto* option : command.get_options()) {
        for (const auto& name : option->get_lnames()) words += " --" + name;
    }
    return words;
}

void collect(const CLI::App& command, const std::string& path, const std::string& inherited,
             std::vector<Level>& levels) {
    Level level{.path = path, .words = words_of(command) + inherited, .subcommands = ""};
    const auto subcommands = command.get_subcommands([](const CLI::App*) { return true; });
    for (const auto* each : subcommands) level.subcommands += " " + each->get_name();
    levels.push_back(level);
    const std::string global = path.empty() ? " --json --socket --user --system" : inherited;
    for (const auto* each : subcommands) {
        collect(*each, path.empty() ? each->get_name() : path + " " + each->get_name(), global, levels);
    }
}

/// Shell code that walks the words typed so far into `route`, then sets `offered`; the same for bash and zsh.
std::string cases_of(const std::vector<Level>& levels) {
    std::string paths;
    std::string offers;
    for (const Level& level : levels) {
        if (!level.path.empty()) paths += (paths.empty() ? "'" : "|'") + level.path + "'";
        offers += "    '" + level.path + "') offered='" + level.subcommands + level.words + "' ;;\n";
    }
    return "  for word in \"${typed[@]}\"; do\n"
           "    [ \"$word\" = -- ] && return\n"
           "    case \"${route:+$route }$word\" in " +
           paths +
           ") route=\"${route:+$route }$word\" ;; esac\n"
           "  done\n"
           "  case \"$route\" in\n" +
           offers + "  esac\n";
}

std::string for_bash(const std::vector<Level>& levels) {
    return "# bash completion of credlease: source <(credlease completions bash)\n"
           "_credlease() {\n"
           "  local route='' word offered=''\n"
           "  local typed=(\"${COMP_WORDS[@]:1:COMP_CWORD-1}\")\n" +
           cases_of(levels) +
           "  COMPREPLY=($(compgen -W \"$offered\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
           "}\n"
           "complete -o default -F _credlease credlease\n";
}

std::string for_zsh(const std::vector<Level>& levels) {
    return "#compdef credlease\n"
           "# zsh completion of credlease: save as _credlease in a directory of $fpath\n"
           "_credlease() {\n"
           "  local route='' word offered=''\n"
           "  local -a typed=(\"${(@)words[2,CURRENT-1]}\")\n" +
           cases_of(levels) +
           "  compadd -- ${=offered} || _files\n"
           "}\n"
           "compdef _credlease credlease\n";
}

std::string quoted(std::string text) {
    for (std::size_t at = 0; (at = text.find_first_of("'\\", at)) != std::string::npos; at += 2) text.insert(at, "\\");
    return "'" + text + "'";
}

/// fish: one line for each subcommand and option, on the condition that its command was typed.
void add_for_fish(const CLI::App& command, const std::string& condition, bool is_program, std::string& out) {
    const auto subcommands = command.get_subcommands([](const CLI::App*) { return true; });
    const std::string when = condition.empty() ? "" : " -n " + quoted(condition);
    for (const auto* each : subcommands) {
        const std::string here = is_program ? " -n __fish_use_subcommand" : when;
        out += "complete -c credlease -f" + here + " -a " + each->get_name() + " -d " +
               quoted(each->get_description()) + "\n";
    }
    for (const auto* option : command.get_options()) {
        for (const auto& name : option->get_lnames()) {
            out += "complete -c credlease" + when + " -l " + name + " -d " + quoted(option->get_description()) + "\n";
        }
    }
    for (const auto* each : subcommands) {
        const std::string typed = "__fish_seen_subcommand_from " + each->get_name();
        add_for_fish(*each, condition.empty() ? typed : condition + "; and " + typed, false, out);
    }
}

std::string for_fish(const CLI::App& program) {
    std::string out = "# fish completion of credlease: credlease completions fish | source\n";
    add_for_fish(program, "", true, out);
    return out;
}

Result<int> completions(const CLI::App& program, const Asked& asked) {
    std::vector<Level> levels;
    collect(program, "", "", levels);
    if (asked.shell == "bash") {
        write_all(STDOUT_FILENO, for_bash(levels));
    } else if (asked.shell == "zsh") {
        write_all(STDOUT_FILENO, for_zsh(levels));
    } else if (asked.shell == "fish") {
        write_all(STDOUT_FILENO, for_fish(program));
    } else {
        return usage("Completions are for bash, zsh or fish.");
    }
    return exit_done;
}

} // namespace

void offer_completions(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command.add_option("shell", asked.shell, "bash, zsh or fish")->required();
    };
    const auto run = [&program](const Invocation&, const Asked& asked) { return completions(program, asked); };
    offer<Asked>(program, invocation, "completions", "Print completions for a shell", describe, run);
}

} // namespace credlease::cli
