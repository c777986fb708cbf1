#include "cli/commands.hpp"
#include "cli/credential_reference.hpp"
#include "cli/table.hpp"

namespace credlease::cli {
namespace {

struct Asked {
    std::string credential;
    std::string since;
    std::string until;
    std::string action;
    std::string principal;
    std::string workflow;
    std::string run;
    std::size_t most = 50;
};

Result<Target> target_for(Client& client, const Asked& asked) {
    Target target("/v1/audit");
    if (!asked.credential.empty()) {
        const auto id = find_id(client, asked.credential);
        if (!id) return id.error();
        target = Target("/v1/credentials");
        target.segment(*id).segment("audit");
    }
    target.query("since", asked.since).query("until", asked.until).query("action", asked.action);
    target.query("principal", asked.principal).query("workflow", asked.workflow).query("run", asked.run);
    return target;
}

/// "lease.issued", or "lease.refused (forbidden) ×3".
std::string what_of(const json::value& record) {
    std::string text = text_at(record, {"action"});
    const std::string code = text_at(record, {"code"});
    const std::string count = text_at(record, {"count"});
    if (!code.empty()) text += " (" + code + ")";
    if (!count.empty() && count != "1") text += " ×" + count;
    return text;
}

std::string who_of(const json::value& record) {
    const std::string behalf = text_at(record, {"on_behalf_of"});
    const std::string pid = text_at(record, {"peer", "pid"});
    std::string text = text_at(record, {"principal"});
    if (!behalf.empty()) text += " for " + behalf;
    if (!pid.empty() && pid != "0") text += " [" + pid + "]";
    return text;
}

Result<int> audit(const Invocation& invocation, const Asked& asked) {
    Client client = invocation.client();
    const auto target = target_for(client, asked);
    if (!target) return target.error();
    auto items = get_all(client, *target, asked.most);
    if (!items) return items.error();
    if (invocation.json) {
        print_items(std::move(*items));
        return exit_done;
    }
    Table table({"SEQ", "TIME", "ACTION", "WHO", "WORKFLOW", "RUN", "CREDENTIAL"});
    for (const auto& record : *items) {
        const bool refused = text_at(record, {"outcome"}) != "ok";
        table.add({{text_at(record, {"seq"}), Color::faint},
                   {time_at(record, {"at"})},
                   {what_of(record), refused ? Color::bad : Color::none},
                   {who_of(record)},
                   {text_at(record, {"workflow"})},
                   {text_at(record, {"run"})},
                   {text_at(record, {"credential"}), Color::faint}});
    }
    table.print("There is no such record.");
    return exit_done;
}

struct Anchor {
    std::string head;
};

Result<int> verify(const Invocation& invocation, const Anchor& asked) {
    Client client = invocation.client(std::chrono::minutes(30)); // a long log is read from end to end
    const auto verdict = get(client, Target("/v1/audit/verify").query("head", asked.head));
    if (!verdict) return verdict.error();
    const bool is_whole = is_true_at(*verdict, {"ok"});
    if (invocation.json) {
        print_json(*verdict);
        return is_whole ? exit_done : exit_refused;
    }
    Sheet sheet;
    sheet.add("audit log", is_whole ? "whole" : "DAMAGED", is_whole ? Color::good : Color::bad);
    sheet.add("records", text_at(*verdict, {"records"}) + " (" + text_at(*verdict, {"first"}) + " to " +
                             text_at(*verdict, {"last"}) + ")");
    if (!is_whole) sheet.add("first bad", text_at(*verdict, {"first_bad"}), Color::bad);
    sheet.add("problem", text_at(*verdict, {"problem"}));
    sheet.print();
    return is_whole ? exit_done : exit_refused;
}

} // namespace

void offer_audit(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command.add_option("credential", asked.credential, "Of this credential, also of a deleted one (by id)");
        command.add_option("--since", asked.since, "Not before (RFC 3339)")->type_name("TIME");
        command.add_option("--until", asked.until, "Before (RFC 3339)")->type_name("TIME");
        command.add_option("--action", asked.action, "lease.issued, credential.created, …");
        command.add_option("--principal", asked.principal, "By this principal");
        command.add_option("--workflow", asked.workflow, "For this workflow");
        command.add_option("--run", asked.run, "For this run");
        command.add_option("--limit", asked.most, "The newest so many (50); 0 for all")->type_name("N");
    };
    auto* audit_command =
        offer<Asked>(program, invocation, "audit", "Read the audit log, newest first", describe, audit);
    const auto describe_verify = [](CLI::App& command, Anchor& asked) {
        command.add_option("--head", asked.head, "Check against a head that was noted elsewhere")->type_name("SEQ:MAC");
    };
    offer<Anchor>(*audit_command, invocation, "verify", "Check the log's chain", describe_verify, verify);
}

} // namespace credlease::cli
