#include "cli/answers.hpp"
#include "cli/commands.hpp"
#include "cli/prompt.hpp"
#include "cli/table.hpp"

#include <algorithm>
#include <unistd.h>

namespace credlease::cli {
namespace {

struct Asked {};

Result<int> list_workspaces(const Invocation& invocation, const Asked&) {
    Client client = invocation.client();
    auto list = get_all(client, Target("/v1/workspaces"), 0);
    if (!list) return list.error();
    if (invocation.json) {
        print_items(std::move(list->items));
        return exit_done;
    }
    Table table({"WORKSPACE", "MEMBERS"});
    for (const auto& item : list->items) {
        const auto* members = find_at(item, {"members"});
        const std::size_t count = members != nullptr && members->is_array() ? members->get_array().size() : 0;
        table.add({{text_at(item, {"id"})}, {std::to_string(count)}});
    }
    table.print("There is no workspace that you may see.");
    return exit_done;
}

struct One {
    std::string id;
    bool yes = false;
};

bool is_there(Client& client, const std::string& id) {
    const auto list = get_all(client, Target("/v1/workspaces"), 0);
    return list && std::ranges::any_of(list->items, [&](const auto& item) { return text_at(item, {"id"}) == id; });
}

Result<int> create(const Invocation& invocation, const One& asked) {
    Client client = invocation.client();
    const bool was_there = is_there(client, asked.id);
    const auto answer =
        client.send({.method = "PUT", .path = Target("/v1/workspaces").segment(asked.id).text(), .json = "{}"});
    if (!answer) return answer.error();
    const auto made = read_json(*answer);
    if (!made) return made.error();
    if (invocation.json) {
        print_json(*made);
    } else {
        write_all(STDOUT_FILENO,
                  "The workspace " + printable(asked.id) + (was_there ? " was there already.\n" : " is there.\n"));
    }
    return exit_done;
}

Result<int> remove(const Invocation& invocation, const One& asked) {
    if (!asked.yes) {
        const auto sure = ask_yes("Delete the workspace " + printable(asked.id) + "?", "--yes");
        if (!sure) return sure.error();
        if (!*sure) return usage("Nothing was deleted.");
    }
    Client client = invocation.client();
    const auto answer = client.send({.method = "DELETE", .path = Target("/v1/workspaces").segment(asked.id).text()});
    if (!answer) return answer.error();
    if (invocation.json) {
        print_json(json::object{{"deleted", asked.id}});
    } else {
        write_all(STDOUT_FILENO, "Deleted the workspace " + printable(asked.id) + ".\n");
    }
    return exit_done;
}

} // namespace

void offer_workspaces(CLI::App& program, Invocation& invocation) {
    auto* workspaces = offer<Asked>(program, invocation, "workspaces", "List workspaces, make or delete one", nullptr,
                                    list_workspaces);
    const auto describe = [](CLI::App& command, One& asked) {
        command.add_option("workspace", asked.id, "Its id")->required();
    };
    offer<One>(*workspaces, invocation, "create", "Make a workspace", describe, create);
    const auto describe_delete = [](CLI::App& command, One& asked) {
        command.add_option("workspace", asked.id, "Its id")->required();
        command.add_flag("--yes", asked.yes, "Do not ask");
    };
    offer<One>(*workspaces, invocation, "delete", "Delete a workspace that has no credentials", describe_delete,
               remove);
}

} // namespace credlease::cli
