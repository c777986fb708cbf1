#include "cli/commands.hpp"
#include "cli/credential_reference.hpp"
#include "cli/prompt.hpp"
#include "cli/terminal.hpp"

#include <unistd.h>

namespace credlease::cli {
namespace {

struct Asked {
    std::string credential;
    bool yes = false;
    bool force = false;
};

Result<int> remove(const Invocation& invocation, const Asked& asked) {
    Client client = invocation.client();
    const auto found = find_credential(invocation, client, asked.credential);
    if (!found) return found.error();
    const std::string what = printable(found->name) + " (" + found->id + ")";
    if (!asked.yes && !asked.force) {
        const auto sure = ask_yes("Delete " + what + " for good? Its leases end at once.", "--yes");
        if (!sure) return sure.error();
        if (!*sure) return usage("Nothing was deleted.");
    }
    Target target("/v1/credentials");
    target.segment(found->id).query("force", asked.force ? "true" : "");
    const auto answer = client.send({.method = "DELETE", .path = target.text(), .if_match = found->etag});
    if (!answer) return answer.error();
    if (invocation.json) {
        print_json(json::object{{"deleted", found->id}});
    } else {
        write_all(STDOUT_FILENO, "Deleted " + what + ".\n");
    }
    return exit_done;
}

} // namespace

void offer_delete(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command.add_option("credential", asked.credential, "Its id or name")->required();
        command.add_flag("--yes", asked.yes, "Do not ask");
        command.add_flag("--force", asked.force, "Do not ask, and delete it though it is in use");
    };
    offer<Asked>(program, invocation, "delete", "Delete a credential for good", describe, remove);
}

} // namespace credlease::cli
