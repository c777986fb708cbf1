#include "cli/withdraw.hpp"

#include "cli/answers.hpp"
#include "cli/terminal.hpp"

#include <unistd.h>

namespace credlease::cli {
namespace {

struct Asked {
    std::vector<std::string> ids;
};

Result<int> withdraw(const Invocation& invocation, const Asked& asked) {
    Client client = invocation.client();
    for (const auto& id : asked.ids) {
        const auto answer = client.send({.method = "DELETE", .path = Target("/v1/grants").segment(id).text()});
        if (!answer) return answer.error();
        if (!invocation.json) write_all(STDOUT_FILENO, "Withdrew " + printable(id) + "; its leases have ended.\n");
    }
    if (invocation.json) print_json(json::object{{"withdrawn", json::array(asked.ids.begin(), asked.ids.end())}});
    return exit_done;
}

} // namespace

void offer_withdraw(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command.add_option("id", asked.ids, "Grants to withdraw")->required();
    };
    offer<Asked>(program, invocation, "withdraw", "Withdraw grants; their leases end at once", describe, withdraw);
}

} // namespace credlease::cli
