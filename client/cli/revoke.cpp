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
};

Result<int> revoke(const Invocation& invocation, const Asked& asked) {
    Client client = invocation.client();
    const auto found = find_credential(invocation, client, asked.credential);
    if (!found) return found.error();
    const std::string what = printable(found->name) + " (" + found->id + ")";
    const bool was_revoked = text_at(found->entry, {"status"}) == "revoked";
    if (!asked.yes && !was_revoked) {
        const auto sure = ask_yes("Revoke " + what + "? Its leases end at once.", "--yes");
        if (!sure) return sure.error();
        if (!*sure) return usage("Nothing was revoked.");
    }
    const auto revoked = send_action(client, *found, "revoke");
    if (!revoked) return revoked.error();
    if (invocation.json) {
        print_json(*revoked);
        return exit_done;
    }
    write_all(STDOUT_FILENO, was_revoked ? what + " was revoked already.\n"
                                         : "Revoked " + what + "; its leases have ended.\n" +
                                               printable(text_at(*revoked, {"note"})) + "\n");
    return exit_done;
}

} // namespace

void offer_revoke(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command.footer("A secret that was already handed out stays valid at its service until it is changed there.\n"
                       "credlease restore takes the revocation back.");
        command.add_option("credential", asked.credential, "Its id or name")->required();
        command.add_flag("--yes", asked.yes, "Do not ask");
    };
    offer<Asked>(program, invocation, "revoke", "End a credential's leases and give no more", describe, revoke);
}

} // namespace credlease::cli
