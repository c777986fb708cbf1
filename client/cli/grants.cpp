#include "cli/answers.hpp"
#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "cli/withdraw.hpp"

namespace credlease::cli {
namespace {

struct Asked {
    std::size_t most = 0;
};

std::string joined_at(const json::value& grant, std::string_view member) {
    std::string text;
    const auto* list = find_at(grant, {member});
    if (list == nullptr || !list->is_array()) return text;
    for (const auto& each : list->get_array()) text += (text.empty() ? "" : ", ") + text_at(each, {});
    return text;
}

std::string reach_of(const json::value& grant) {
    if (is_true_at(grant, {"all"})) return "all";
    const std::string services = joined_at(grant, "services");
    return services.empty() ? joined_at(grant, "credentials") : services;
}

std::string uid_of(const json::value& grant) {
    const std::string uid = text_at(grant, {"uid"});
    return uid.empty() ? "bearer" : uid;
}

std::string leases_of(const json::value& grant) {
    const std::string most = text_at(grant, {"max_leases"});
    return text_at(grant, {"leases_taken"}) + (most.empty() ? "" : " of " + most);
}

Result<int> list_grants(const Invocation& invocation, const Asked& asked) {
    Client client = invocation.client();
    auto list = get_all(client, Target("/v1/grants"), asked.most);
    if (!list) return list.error();
    if (invocation.json) {
        print_items(std::move(list->items));
        return exit_done;
    }
    Table table({"GRANT", "MINTED BY", "WORKSPACE", "WORKFLOW", "RUN", "REACHES", "UID", "EXPIRES"});
    for (const auto& grant : list->items) {
        table.add({{text_at(grant, {"id"}), Color::faint},
                   {text_at(grant, {"minted_by"})},
                   {text_at(grant, {"workspace"})},
                   {text_at(grant, {"workflow"})},
                   {text_at(grant, {"run"})},
                   {reach_of(grant)},
                   {uid_of(grant)},
                   {time_at(grant, {"expires_at"})}});
    }
    table.print("No grant is live, or none that you may see.");
    say_whether_more(*list);
    return exit_done;
}

struct One {
    std::string id;
};

Result<int> show_grant(const Invocation& invocation, const One& asked) {
    Client client = invocation.client();
    const auto grant = get(client, Target("/v1/grants").segment(asked.id));
    if (!grant) return grant.error();
    if (invocation.json) {
        print_json(*grant);
        return exit_done;
    }
    Sheet sheet;
    sheet.add("grant", text_at(*grant, {"id"}));
    sheet.add("minted by", text_at(*grant, {"minted_by"}));
    sheet.add("for user", text_at(*grant, {"user"}));
    sheet.add("workspace", text_at(*grant, {"workspace"}));
    sheet.add("workflow", text_at(*grant, {"workflow"}));
    sheet.add("run", text_at(*grant, {"run"}));
    sheet.add("reaches", reach_of(*grant));
    sheet.add("fields", joined_at(*grant, "fields"));
    sheet.add("uid", uid_of(*grant));
    sheet.add("leases taken", leases_of(*grant));
    sheet.add("longest lease", text_at(*grant, {"max_ttl"}));
    sheet.add("created", time_at(*grant, {"created_at"}));
    sheet.add("expires", time_at(*grant, {"expires_at"}));
    sheet.print();
    return exit_done;
}

} // namespace

void offer_grants(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command.add_option("--limit", asked.most, "At most so many (default all)")->type_name("N");
    };
    auto* grants = offer<Asked>(program, invocation, "grants", "List live grants", describe, list_grants);
    const auto describe_one = [](CLI::App& command, One& asked) {
        command.add_option("id", asked.id, "The grant")->required();
    };
    offer<One>(*grants, invocation, "show", "Show a grant, without its token", describe_one, show_grant);
    offer_withdraw(*grants, invocation);
}

} // namespace credlease::cli
