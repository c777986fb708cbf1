#include "cli/commands.hpp"
#include "cli/terminal.hpp"

#include <array>
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

/// What a command's argument may be; each is asked of the broker or is known. A table in a pipe is plain, and its
/// columns are two spaces apart.
struct Argument {
    const char* path;
    const char* offered; ///< shell code that prints one a line
};
constexpr const char* service_lines = "credlease services 2>/dev/null | sed -n '2,$s/  .*//p'";
constexpr const char* name_lines = "credlease list 2>/dev/null | sed -n '2,$s/  .*//p'";
constexpr const char* client_lines = "credlease oauth-client list 2>/dev/null | sed -n '2,$s/  .*//p'";
constexpr std::array arguments = {Argument{"add", service_lines},
                                  Argument{"services", service_lines},
                                  Argument{"show", name_lines},
                                  Argument{"lease", name_lines},
                                  Argument{"edit", name_lines},
                                  Argument{"revoke", name_lines},
                                  Argument{"reauthorize", name_lines},
                                  Argument{"refresh", name_lines},
                                  Argument{"restore", name_lines},
                                  Argument{"delete", name_lines},
                                  Argument{"audit", name_lines},
                                  Argument{"oauth-client set", service_lines},
                                  Argument{"oauth-client show", client_lines},
                                  Argument{"oauth-client delete", client_lines},
                                  Argument{"completions", "printf '%s\\n' bash zsh fish"}};

/// A shell function that prints what may be the argument of the command `route`.
std::string argument_function() {
    std::string text = "_credlease_arguments() {\n  case \"$1\" in\n";
    for (const auto& each : arguments) text += "    '" + std::string(each.path) + "') " + each.offered + " ;;\n";
    return text + "  esac\n}\n";
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
    return "# bash completion of credlease: source <(credlease completions bash)\n" + argument_function() +
           "_credlease() {\n"
           "  local route='' word offered='' IFS=$' \\t\\n'\n"
           "  local typed=(\"${COMP_WORDS[@]:1:COMP_CWORD-1}\")\n" +
           cases_of(levels) +
           "  COMPREPLY=($(compgen -W \"$offered\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
           "  while IFS= read -r word; do\n"
           "    case \"$word\" in \"${COMP_WORDS[COMP_CWORD]//\\\\/}\"*) COMPREPLY+=(\"$(printf %q \"$word\")\") ;; "
           "esac\n"
           "  done < <(_credlease_arguments \"$route\")\n"
           "}\n"
           "complete -o default -F _credlease credlease\n";
}

std::string for_zsh(const std::vector<Level>& levels) {
    return "#compdef credlease\n"
           "# zsh completion of credlease: save as _credlease in a directory of $fpath\n" +
           argument_function() +
           "_credlease() {\n"
           "  local route='' word offered=''\n"
           "  local -a typed=(\"${(@)words[2,CURRENT-1]}\")\n" +
           cases_of(levels) +
           "  compadd -- ${=offered} ${(f)\"$(_credlease_arguments \"$route\")\"} || _files\n"
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

/// All words of the path were typed.
std::string typed_in_fish(std::string path) {
    const std::string typed = "__fish_seen_subcommand_from ";
    if (const auto space = path.find(' '); space != std::string::npos) path.replace(space, 1, "; and " + typed);
    return typed + path;
}

std::string for_fish(const CLI::App& program) {
    std::string out = "# fish completion of credlease: credlease completions fish | source\n";
    add_for_fish(program, "", true, out);
    for (const auto& each : arguments) {
        out += "complete -c credlease -f -n " + quoted(typed_in_fish(each.path)) + " -a " +
               quoted("(" + std::string(each.offered) + ")") + "\n";
    }
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
