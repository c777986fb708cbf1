#include "cli/commands.hpp"
#include "cli/credential_reference.hpp"
#include "cli/terminal.hpp"

#include <unistd.h>

namespace credlease::cli {
namespace {

struct Asked {
    std::string credential;
};

Result<int> refresh(const Invocation& invocation, const Asked& asked) {
    Client client = invocation.client();
    const auto found = find_credential(invocation, client, asked.credential);
    if (!found) return found.error();
    const auto refreshed = send_action(client, *found, "refresh");
    if (!refreshed) return refreshed.error();
    if (invocation.json) {
        print_json(*refreshed);
        return exit_done;
    }
    const auto ends = time_at(*refreshed, {"oauth", "token_expires_at"});
    write_all(STDOUT_FILENO, "Refreshed " + printable(found->name) + " (" + found->id + ")" +
                                 (ends.empty() ? ".\n" : "; its token ends at " + ends + ".\n"));
    return exit_done;
}

} // namespace

void offer_refresh(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command.footer("The broker does it by itself before a token ends. Where the provider ended the grant:\n"
                       "credlease reauthorize.");
        command.add_option("credential", asked.credential, "Its id or name")->required();
    };
    offer<Asked>(program, invocation, "refresh", "Get an OAuth credential a new token now", describe, refresh);
}

} // namespace credlease::cli
