#include "cli/commands.hpp"
#include "cli/credential_reference.hpp"
#include "cli/table.hpp"

#include <unistd.h>

namespace credlease::cli {
namespace {

struct Asked {
    std::string credential;
    std::string workflow;
    std::string run;
    std::string grant;
    std::size_t most = 0;
};

Result<Target> target_for(const Invocation& invocation, Client& client, const Asked& asked) {
    Target target("/v1/leases");
    if (!asked.credential.empty()) {
        const auto id = find_id(invocation, client, asked.credential);
        if (!id) return id.error();
        target.query("credential", *id);
    }
    target.query("workflow", asked.workflow).query("run", asked.run).query("grant", asked.grant);
    return target;
}

/// The process that it ends with; a lease that is bound to none lives on when its first one has gone.
std::string holder_of(const json::value& lease) {
    return text_at(lease, {"bind"}) == "none" ? "-" : text_at(lease, {"holder", "pid"});
}

Result<int> list_leases(const Invocation& invocation, const Asked& asked) {
    Client client = invocation.client();
    auto target = target_for(invocation, client, asked);
    if (!target) return target.error();
    target->also_for_workers();
    auto list = get_all(client, *target, asked.most);
    if (!list) return list.error();
    if (invocation.json) {
        print_items(std::move(list->items));
        return exit_done;
    }
    Table table({"LEASE", "CREDENTIAL", "PRINCIPAL", "HOLDER", "WORKFLOW", "RUN", "EXPIRES"});
    for (const auto& item : list->items) {
        table.add({{text_at(item, {"lease"}), Color::faint},
                   {text_at(item, {"credential", "name"})},
                   {text_at(item, {"principal"})},
                   {holder_of(item)},
                   {text_at(item, {"purpose", "workflow"})},
                   {text_at(item, {"purpose", "run"})},
                   {time_at(item, {"expires_at"})}});
    }
    table.print("No lease is live, or none that you may see.");
    say_whether_more(*list);
    return exit_done;
}

struct Ended {
    std::vector<std::string> ids;
    Asked matching;
};

Result<std::size_t> end_each(Client& client, const std::vector<std::string>& ids) {
    for (const auto& id : ids) {
        const auto answer = client.send({.method = "DELETE", .path = Target("/v1/leases").segment(id).text()});
        if (!answer) return answer.error();
    }
    return ids.size();
}

Result<std::size_t> end_matching(const Invocation& invocation, Client& client, const Asked& asked) {
    const auto target = target_for(invocation, client, asked);
    if (!target) return target.error();
    const auto answer = client.send({.method = "DELETE", .path = target->text()});
    if (!answer) return answer.error();
    const auto counted = read_json(*answer);
    if (!counted) return counted.error();
    const auto* count = find_at(*counted, {"ended"});
    return count == nullptr || !count->is_int64() ? 0 : static_cast<std::size_t>(count->get_int64());
}

Result<int> end(const Invocation& invocation, const Ended& asked) {
    const Asked& by = asked.matching;
    const bool matching = !by.credential.empty() || !by.workflow.empty() || !by.run.empty() || !by.grant.empty();
    if (matching == !asked.ids.empty()) {
        return usage("Say which leases end: their ids, or --credential, --workflow, --run or --grant.");
    }
    Client client = invocation.client();
    const auto count = matching ? end_matching(invocation, client, by) : end_each(client, asked.ids);
    if (!count) return count.error();
    if (invocation.json) {
        print_json(json::object{{"ended", *count}});
    } else {
        write_all(STDOUT_FILENO, std::to_string(*count) + (*count == 1 ? " lease" : " leases") + " ended.\n");
    }
    return exit_done;
}

void describe_filter(CLI::App& command, Asked& asked) {
    command.add_option("--credential", asked.credential, "Of this credential")->type_name("C");
    command.add_option("--workflow", asked.workflow, "For this workflow");
    command.add_option("--run", asked.run, "For this run");
    command.add_option("--grant", asked.grant, "Under this grant")->type_name("ID");
}

} // namespace

void offer_leases(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        describe_filter(command, asked);
        command.add_option("--limit", asked.most, "At most so many (default all)")->type_name("N");
    };
    auto* leases = offer<Asked>(program, invocation, "leases", "List live leases, or end some", describe, list_leases);
    const auto describe_end = [](CLI::App& command, Ended& asked) {
        command.add_option("id", asked.ids, "Leases to end");
        describe_filter(command, asked.matching);
    };
    offer<Ended>(*leases, invocation, "end", "End leases at once", describe_end, end);
}

} // namespace credlease::cli
