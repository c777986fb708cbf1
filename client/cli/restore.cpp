#include "cli/commands.hpp"
#include "cli/credential_reference.hpp"
#include "cli/terminal.hpp"

#include <unistd.h>

namespace credlease::cli {
namespace {

struct Asked {
    std::string credential;
};

/// "active again"; of one that nobody gets anything from yet also why, and what helps.
std::string describe(const json::value& restored, const std::string& id) {
    const std::string status = printable(text_at(restored, {"status"}));
    if (status == "active" || status == "failing") return status + " again.\n";
    const std::string why = printable(text_at(restored, {"status_reason"}));
    const bool is_authorized = status == "pending" || find_at(restored, {"oauth"}) != nullptr;
    return status + (why.empty() ? "" : ": " + why) + (why.ends_with('.') ? "" : ".") +
           (is_authorized ? "\nAuthorize it with: credlease reauthorize " + id + "\n" : "\n");
}

Result<int> restore(const Invocation& invocation, const Asked& asked) {
    Client client = invocation.client();
    const auto found = find_credential(invocation, client, asked.credential);
    if (!found) return found.error();
    const bool was_revoked = text_at(found->entry, {"status"}) == "revoked";
    const auto restored = send_action(client, *found, "restore");
    if (!restored) return restored.error();
    if (invocation.json) {
        print_json(*restored);
        return exit_done;
    }
    const std::string what = printable(found->name) + " (" + found->id + ")";
    write_all(STDOUT_FILENO, was_revoked ? "Restored " + what + "; it is " + describe(*restored, found->id)
                                         : what + " was not revoked.\n");
    return exit_done;
}

} // namespace

void offer_restore(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command.add_option("credential", asked.credential, "Its id or name")->required();
    };
    offer<Asked>(program, invocation, "restore", "Take the revocation of a credential back", describe, restore);
}

} // namespace credlease::cli
