#include "cli/answers.hpp"
#include "cli/commands.hpp"
#include "cli/terminal.hpp"

#include <unistd.h>

namespace credlease::cli {
namespace {

struct Asked {
    bool now = false;
};

Result<int> seal(const Invocation& invocation, const Asked& asked) {
    Client client = invocation.client(std::chrono::minutes(2));
    const auto before = get(client, Target("/v1/status"));
    const bool was_sealed = before && text_at(*before, {"state"}) == "sealed";
    const auto answer =
        client.send({.method = "POST", .path = "/v1/seal", .json = asked.now ? "{\"now\":true}" : "{}"});
    if (!answer) return answer.error();
    const auto status = read_json(*answer);
    if (!status) return status.error();
    if (invocation.json) {
        print_json(*status);
    } else if (was_sealed) {
        write_all(STDOUT_FILENO, "The broker was sealed already.\n");
    } else {
        write_all(STDOUT_FILENO, "The broker is " + printable(text_at(*status, {"state"})) + "; its keys are wiped.\n");
    }
    return exit_done;
}

} // namespace

void offer_seal(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command.add_flag("--now", asked.now, "Do not wait for refreshes under way");
    };
    offer<Asked>(program, invocation, "seal", "End all leases and wipe the keys", describe, seal);
}

} // namespace credlease::cli
