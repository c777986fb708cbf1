#include "cli/catalog_entry.hpp"
#include "cli/commands.hpp"
#include "cli/field_forms.hpp"
#include "cli/table.hpp"

#include <unistd.h>

namespace credlease::cli {
namespace {

struct Asked {
    std::string service;
};

Result<int> list_services(const Invocation& invocation, Client& client) {
    auto list = get_all(client, Target("/v1/services").also_for_workers(), 0);
    if (!list) return list.error();
    if (invocation.json) {
        print_items(std::move(list->items));
        return exit_done;
    }
    Table table({"SERVICE", "NAME", "AUTH TYPES"});
    for (const auto& item : list->items) {
        std::string types;
        const auto* auth = find_at(item, {"auth"});
        if (auth != nullptr && auth->is_array()) {
            for (const auto& type : auth->get_array()) types += (types.empty() ? "" : ", ") + text_at(type, {"name"});
        }
        table.add({{text_at(item, {"id"})}, {text_at(item, {"name"})}, {types}});
    }
    table.print("The catalog is empty.");
    return exit_done;
}

std::string remarks_on(const json::value& field) {
    std::string remarks;
    for (const char* remark : {"secret", "required", "destination"}) {
        if (is_true_at(field, {remark})) remarks += (remarks.empty() ? "" : ", ") + std::string(remark);
    }
    const std::string source = text_at(field, {"source"});
    if (source == "tokens" || source == "answer") remarks += (remarks.empty() ? "" : ", ") + std::string("filled");
    return remarks;
}

std::string meaning_of(const json::value& field) {
    const std::string help = text_at(field, {"help"});
    const std::string form = form_of(read_field(field));
    std::string text = text_at(field, {"label"}) + (help.empty() ? "" : ". " + help);
    if (!form.empty()) text += " (" + form + ")";
    return text;
}

Result<int> show_service(const Invocation& invocation, Client& client, const std::string& service) {
    const auto entry = get(client, Target("/v1/services").segment(service).also_for_workers());
    if (!entry) return explain_service(client, entry.error(), service);
    if (invocation.json) {
        print_json(*entry);
        return exit_done;
    }
    Sheet sheet;
    sheet.add("service", text_at(*entry, {"id"}));
    sheet.add("name", text_at(*entry, {"name"}));
    sheet.add("documentation", text_at(*entry, {"docs"}));
    sheet.print();
    const auto* auth = find_at(*entry, {"auth"});
    if (auth == nullptr || !auth->is_array()) return exit_done;
    for (const auto& type : auth->get_array()) {
        write_all(STDOUT_FILENO, "\n" + printable(text_at(type, {"name"}) + ": " + text_at(type, {"label"})) + "\n");
        Table table({"FIELD", "TYPE", "DEFAULT", "REMARKS", "MEANING"});
        const auto* fields = find_at(type, {"fields"});
        if (fields == nullptr || !fields->is_array()) continue;
        for (const auto& field : fields->get_array()) {
            table.add({{text_at(field, {"name"})},
                       {text_at(field, {"type"})},
                       {text_at(field, {"default"})},
                       {remarks_on(field)},
                       {meaning_of(field)}});
        }
        table.print("It has no fields.");
    }
    write_all(STDOUT_FILENO,
              "\nA destination decides where the secret goes: to change one, give every secret field anew "
              "with it. What is filled comes from the service itself: nobody gives it.\n");
    return exit_done;
}

Result<int> services(const Invocation& invocation, const Asked& asked) {
    Client client = invocation.client();
    return asked.service.empty() ? list_services(invocation, client) : show_service(invocation, client, asked.service);
}

} // namespace

void offer_services(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command.add_option("service", asked.service, "Show the fields of this one");
    };
    offer<Asked>(program, invocation, "services", "List the catalog's services, or show one", describe, services);
}

} // namespace credlease::cli
