#include "cli/answers.hpp"
#include "cli/catalog_entry.hpp"
#include "cli/choices.hpp"
#include "cli/commands.hpp"
#include "cli/credential_status.hpp"
#include "cli/table.hpp"

#include <algorithm>

namespace credlease::cli {
namespace {

struct Asked {
    std::string text;
    std::vector<std::string> services;
    std::string scope;
    std::string auth;
    std::string status;
    std::string sort;
    std::size_t most = 0;
};

/// The broker says what a scope may be; what is wrong with "personal" is the caller.
Error explain(Error error, const Asked& asked) {
    if (error.field != "scope" || asked.scope != "personal") return error;
    error.sentence = "A personal scope needs a user; you are none.";
    error.next_step = "Look into a workspace: --scope workspace:W";
    return error;
}

Result<void> check_words(const Asked& asked) {
    if (auto checked = check_choice("status", asked.status, {"active", "expired", "failing", "revoked", "pending"});
        !checked) {
        return checked;
    }
    return check_choice("order", asked.sort, {"name", "created_at", "updated_at", "last_used_at"});
}

/// A credential may outlive its service: one of which there are some is not looked for.
Result<void> check_services(Client& client, const Asked& asked, const json::array& found) {
    for (const auto& service : asked.services) {
        const auto is_its = [&](const json::value& item) { return text_at(item, {"service"}) == service; };
        if (std::ranges::any_of(found, is_its)) continue;
        const auto entry = get(client, Target("/v1/services").segment(service).also_for_workers());
        if (!entry && entry.error().code == no_service_code) return explain_service(client, entry.error(), service);
    }
    return {};
}

Result<int> list_credentials(const Invocation& invocation, const Asked& asked) {
    if (auto checked = check_words(asked); !checked) return checked.error();
    Client client = invocation.client();
    Target target("/v1/credentials");
    target.also_for_workers();
    target.query("q", asked.text).query("scope", asked.scope).query("auth", asked.auth);
    target.query("status", asked.status).query("sort", asked.sort);
    for (const auto& service : asked.services) target.query("service", service);
    auto list = get_all(client, target, asked.most);
    if (!list) return explain(list.error(), asked);
    if (auto known = check_services(client, asked, list->items); !known) return known.error();
    if (invocation.json) {
        print_items(std::move(list->items));
        return exit_done;
    }
    Table table({"NAME", "SERVICE", "SCOPE", "STATUS", "VERSION", "LAST USED", "ID"});
    for (const auto& item : list->items) {
        table.add({{text_at(item, {"name"})},
                   {text_at(item, {"service"})},
                   {scope_at(item)},
                   {text_at(item, {"status"}), color_of_status(text_at(item, {"status"}))},
                   {text_at(item, {"version"})},
                   {time_at(item, {"last_used_at"})},
                   {text_at(item, {"id"}), Color::faint}});
    }
    table.print("There is no such credential, or none that you may see. Add one with: credlease add SERVICE");
    say_whether_more(*list);
    return exit_done;
}

} // namespace

void offer_list(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command.add_option("--q", asked.text, "Part of the name");
        repeatable(command.add_option("--service", asked.services, "Of this service (repeatable)"))
            ->type_name("SERVICE");
        command.add_option("--scope", asked.scope, "personal, workspace:W or organization");
        command.add_option("--auth", asked.auth, "Of this auth type");
        command.add_option("--status", asked.status, "active, expired, failing, revoked or pending");
        command.add_option("--sort", asked.sort, "name, created_at, updated_at or last_used_at (default name)");
        command.add_option("--limit", asked.most, "At most so many (default all)")->type_name("N");
    };
    offer<Asked>(program, invocation, "list", "List credentials", describe, list_credentials);
}

} // namespace credlease::cli
