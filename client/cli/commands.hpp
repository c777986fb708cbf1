#pragma once

#include "cli/invocation.hpp"

#include <CLI/App.hpp>
#include <CLI/Option.hpp>

namespace credlease::cli {

// One file per command: each adds its subcommand with its options to the program, and chooses itself when it is named.
void offer_add(CLI::App& program, Invocation& invocation);
void offer_list(CLI::App& program, Invocation& invocation);
void offer_show(CLI::App& program, Invocation& invocation);
void offer_edit(CLI::App& program, Invocation& invocation);
void offer_reauthorize(CLI::App& program, Invocation& invocation);
void offer_refresh(CLI::App& program, Invocation& invocation);
void offer_revoke(CLI::App& program, Invocation& invocation);
void offer_restore(CLI::App& program, Invocation& invocation);
void offer_delete(CLI::App& program, Invocation& invocation);
void offer_lease(CLI::App& program, Invocation& invocation);
void offer_exec(CLI::App& program, Invocation& invocation);
void offer_leases(CLI::App& program, Invocation& invocation);
void offer_events(CLI::App& program, Invocation& invocation);
void offer_audit(CLI::App& program, Invocation& invocation);
void offer_grant(CLI::App& program, Invocation& invocation);
void offer_grants(CLI::App& program, Invocation& invocation);
void offer_services(CLI::App& program, Invocation& invocation);
void offer_workspaces(CLI::App& program, Invocation& invocation);
void offer_members(CLI::App& program, Invocation& invocation);
void offer_oauth_client(CLI::App& program, Invocation& invocation);
void offer_status(CLI::App& program, Invocation& invocation);
void offer_seal(CLI::App& program, Invocation& invocation);
void offer_unseal(CLI::App& program, Invocation& invocation);
void offer_completions(CLI::App& program, Invocation& invocation);
void offer_help(CLI::App& program, Invocation& invocation);
void offer_version(CLI::App& program, Invocation& invocation);

/// An option that may be given several times, each time with one value.
inline CLI::Option* repeatable(CLI::Option* option) { return option->allow_extra_args(false); }

/// A word that a subcommand has no place for goes to the command above it, which does not run then.
inline void refuse_words_of(const CLI::App& above) {
    for (const auto* option : above.get_options()) {
        if (option->get_positional() && option->count() > 0) throw CLI::ExtrasError({option->get_name()});
    }
}

/// Adds a subcommand whose options live in an `Asked`; `run` is called with them when it is chosen.
template <class Asked, class Run>
CLI::App* offer(CLI::App& program, Invocation& invocation, const std::string& name, const std::string& what,
                const std::function<void(CLI::App&, Asked&)>& describe, Run run) {
    auto* command = program.add_subcommand(name, what);
    command->fallthrough(); // --json and the like may stand behind the command too
    const auto asked = std::make_shared<Asked>();
    if (describe) describe(*command, *asked);
    command->callback([&program, &invocation, asked, run] {
        refuse_words_of(program);
        invocation.choose([&invocation, asked, run] { return run(invocation, *asked); });
    });
    return command;
}

} // namespace credlease::cli
