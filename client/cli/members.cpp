#include "cli/answers.hpp"
#include "cli/choices.hpp"
#include "cli/commands.hpp"
#include "cli/table.hpp"

#include <boost/json/serialize.hpp>

#include <unistd.h>

namespace credlease::cli {
namespace {

struct Asked {
    std::string workspace;
    std::string user;
    std::string role;
};

Result<int> list_members(const Invocation& invocation, const Asked& asked) {
    if (asked.workspace.empty()) return usage("Say whose members: credlease members WORKSPACE.");
    Client client = invocation.client();
    const auto workspace = get(client, Target("/v1/workspaces").segment(asked.workspace));
    if (!workspace) return workspace.error();
    const auto* members = find_at(*workspace, {"members"});
    json::array items = members != nullptr && members->is_array() ? members->get_array() : json::array();
    if (invocation.json) {
        print_items(std::move(items));
        return exit_done;
    }
    Table table({"USER", "ROLE"});
    for (const auto& member : items) table.add({{text_at(member, {"user"})}, {text_at(member, {"role"})}});
    table.print("The workspace has no members.");
    return exit_done;
}

Target member(const Asked& asked) {
    return Target("/v1/workspaces").segment(asked.workspace).segment("members").segment(asked.user);
}

Result<int> say(const Invocation& invocation, const Answer& answer, const std::string& sentence) {
    const auto workspace = read_json(answer);
    if (!workspace) return workspace.error();
    if (invocation.json) {
        print_json(*workspace);
    } else {
        write_all(STDOUT_FILENO, printable(sentence) + "\n");
    }
    return exit_done;
}

Result<int> add_member(const Invocation& invocation, const Asked& asked) {
    if (auto checked = check_choice("role", asked.role, {"member", "editor", "admin"}); !checked) {
        return checked.error();
    }
    Client client = invocation.client();
    const auto answer = client.send(
        {.method = "PUT", .path = member(asked).text(), .json = json::serialize(json::object{{"role", asked.role}})});
    if (!answer) return answer.error();
    return say(invocation, *answer, asked.user + " is " + asked.role + " of " + asked.workspace + ".");
}

Result<int> remove_member(const Invocation& invocation, const Asked& asked) {
    Client client = invocation.client();
    const auto answer = client.send({.method = "DELETE", .path = member(asked).text()});
    if (!answer) return answer.error();
    return say(invocation, *answer, asked.user + " is no member of " + asked.workspace + " any more.");
}

void describe_member(CLI::App& command, Asked& asked) {
    command.add_option("workspace", asked.workspace, "The workspace")->required();
    command.add_option("user", asked.user, "user:DIRECTORY/NAME")->required();
}

} // namespace

void offer_members(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command.add_option("workspace", asked.workspace, "The workspace");
    };
    auto* members = offer<Asked>(program, invocation, "members", "List a workspace's members, or change them", describe,
                                 list_members);
    const auto describe_add = [](CLI::App& command, Asked& asked) {
        describe_member(command, asked);
        command.add_option("role", asked.role, "admin, editor or member")->required();
    };
    offer<Asked>(*members, invocation, "add", "Add a member, or change its role", describe_add, add_member);
    offer<Asked>(*members, invocation, "remove", "Remove a member; its leases there end",
                 std::function(describe_member), remove_member);
}

} // namespace credlease::cli
