#include "cli/child.hpp"
#include "cli/commands.hpp"
#include "cli/environment.hpp"
#include "cli/lease_end.hpp"

#include <unistd.h>

namespace credlease::cli {
namespace {

struct Asked {
    std::vector<std::string> environment;
    std::vector<std::string> files;
    std::string workspace;
    Purpose purpose;
};

/// The leases that ended while the command still ran: it goes on, with what it was given.
class EndedLeases {
  public:
    explicit EndedLeases(const Leases& leases) : leases_(leases) {}
    void report_new() {
        for (const auto& [credential, lease] : leases_) {
            const auto end = end_of(lease);
            if (!end || !reported_.insert(credential).second) continue;
            report({.code = end->code,
                    .sentence = "The command goes on without the lease of " + credential + ": " + end->sentence,
                    .next_step = "",
                    .reason = end->reason},
                   false);
        }
    }

  private:
    const Leases& leases_;
    std::set<std::string> reported_;
};

Result<int> exec(const Invocation& invocation, const Asked& asked) {
    if (invocation.after_dashes.empty()) return no_command_behind_dashes();
    auto wanted = read_wanted(asked.environment, asked.files);
    if (!wanted) return wanted.error();
    Client client = invocation.client();
    auto leases = take_leases(invocation, client, *wanted, asked.workspace, asked.purpose);
    if (!leases) return leases.error();
    auto child = [&]() -> Result<Child> {
        // What the command is given is copied for it by the kernel, and wiped here as soon as it runs.
        const auto environment = make_environment(*wanted, *leases);
        if (!environment) return environment.error();
        return Child::start(invocation.after_dashes, *environment);
    }();
    if (!child) return child.error();
    EndedLeases ended(*leases);
    return child->attend([&] { ended.report_new(); });
}

} // namespace

void offer_exec(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command.footer(
            "credlease exec [--env VAR=C[:FIELD]]… [--file VAR=C[:FIELD]]… -- CMD [ARG…]\n\n"
            "C alone means its secret field; where it has several, name one: C:FIELD.\n"
            "A path of --file is of CMD's own descriptors (/proc/self/fd/N): CMD reads it, and so do those children\n"
            "that keep its descriptors open; a program that closes them (sudo, Python's subprocess) loses it.");
        repeatable(command.add_option("--env", asked.environment, "The secret in CMD's environment"))
            ->type_name("VAR=C[:FIELD]");
        repeatable(command.add_option("--file", asked.files, "The secret in sealed memory, its path in VAR (better)"))
            ->type_name("VAR=C[:FIELD]");
        command.add_option("--workspace", asked.workspace, "In this workspace, for operators (default \"default\")");
        command.add_option("--workflow", asked.purpose.workflow, "What it is for: the workflow");
        command.add_option("--run", asked.purpose.run, "What it is for: the run");
        command.add_option("--node", asked.purpose.node, "What it is for: the node");
    };
    offer<Asked>(program, invocation, "exec", "Run a command with secrets, leased for as long as it lives", describe,
                 exec);
}

} // namespace credlease::cli
