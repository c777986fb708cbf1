#include "cli/authorization.hpp"
#include "cli/commands.hpp"
#include "cli/credential_reference.hpp"
#include "cli/terminal.hpp"

namespace credlease::cli {
namespace {

struct Asked {
    std::string credential;
    bool device = false;
    bool refresh_token = false;
    bool wait = false;
};

Result<int> reauthorize(const Invocation& invocation, const Asked& asked) {
    Client client = invocation.client();
    const auto found = find_credential(invocation, client, asked.credential);
    if (!found) return found.error();
    Authorizing how{.id = found->id,
                    .name = printable(found->name),
                    .by_device = asked.device,
                    .waits_for_code = can_ask() || asked.wait};
    if (asked.refresh_token) {
        auto token = read_refresh_token();
        if (!token) return token.error();
        how.refresh_token = std::move(*token);
    }
    return authorize(invocation, how);
}

} // namespace

void offer_reauthorize(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command.footer("The credential keeps its id; who holds a lease of it is told, and renews.\n"
                       "The address that the browser was sent to is asked for, or read from standard input.\n"
                       "With a code that is typed elsewhere it is waited for on a terminal, or with --wait.");
        command.add_option("credential", asked.credential, "Its id or name")->required();
        auto* device =
            command.add_flag("--device", asked.device, "For a machine without a browser: a code is typed elsewhere");
        command.add_flag("--wait", asked.wait, "Wait until the code was typed, also where nobody can be asked");
        command.add_flag("--refresh-token", asked.refresh_token, refresh_token_help)->excludes(device);
    };
    offer<Asked>(program, invocation, "reauthorize", "Authorize an OAuth credential at its provider, anew or at last",
                 describe, reauthorize);
}

} // namespace credlease::cli
