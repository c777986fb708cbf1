#include "cli/commands.hpp"
#include "cli/misuse.hpp"
#include "cli/terminal.hpp"
#include "startup/standard_descriptors.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <exception>
#include <iostream>
#include <unistd.h>

namespace credlease::cli {
namespace {

void offer_all(CLI::App& program, Invocation& invocation) {
    program.add_flag("--json", invocation.json, "JSON for programs instead of tables");
    program
        .add_option("--socket", invocation.socket,
                    "The broker's socket (default CREDLEASE_SOCKET and CREDLEASE_ADMIN_SOCKET, else your own broker's, "
                    "else the system's)")
        ->type_name("PATH");
    auto* user = program.add_flag("--user", invocation.user, "Your own broker");
    program.add_flag("--system", invocation.system, "The system's broker")->excludes(user);
    program.set_version_flag("--version", "credlease " CREDLEASE_VERSION);
    program.require_subcommand(1);
    program.get_formatter()->label("REQUIRED", "(required)");
    for (const auto offer_one :
         {offer_add,     offer_list,         offer_show,   offer_edit,   offer_reauthorize, offer_refresh,
          offer_revoke,  offer_restore,      offer_delete, offer_lease,  offer_exec,        offer_leases,
          offer_events,  offer_audit,        offer_grant,  offer_grants, offer_services,    offer_workspaces,
          offer_members, offer_oauth_client, offer_status, offer_seal,   offer_unseal,      offer_completions,
          offer_help,    offer_version}) {
        offer_one(program, invocation);
    }
}

int refuse(const CLI::App& program, const CLI::ParseError& thrown, bool as_json) {
    if (as_json || !is_bare(program)) return report(explain_misuse(program, thrown), as_json);
    write_all(STDERR_FILENO, help_of(program));
    return exit_usage;
}

int run(int count, char** arguments) {
    Invocation invocation;
    std::vector<std::string> words(arguments + std::min(count, 1), arguments + count);
    // What stands behind "--" is another program's and is not looked at.
    if (const auto dashes = std::ranges::find(words, "--"); dashes != words.end()) {
        invocation.after_dashes.assign(dashes + 1, words.end());
        words.erase(dashes, words.end());
    }
    CLI::App program("Credlease: leases of credentials from the broker on this host", "credlease");
    offer_all(program, invocation);
    std::ranges::reverse(words); // as CLI11 takes them
    try {
        program.parse(std::move(words));
    } catch (const CLI::ParseError& thrown) {
        if (thrown.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return program.exit(thrown);
        return refuse(program, thrown, invocation.json);
    }
    const auto outcome = invocation.chosen();
    return outcome ? *outcome : report(invocation.explain(outcome.error()), invocation.json);
}

} // namespace
} // namespace credlease::cli

int main(int count, char** arguments) {
    if (!credlease::startup::fill_standard_descriptors()) return credlease::cli::exit_refused;
    try {
        return credlease::cli::run(count, arguments);
    } catch (const std::exception& thrown) {
        std::cerr << "credlease: " << thrown.what() << '\n';
        return credlease::cli::exit_refused;
    }
}
