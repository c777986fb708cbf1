#include "cli/choices.hpp"
#include "cli/commands.hpp"
#include "cli/credential_reference.hpp"
#include "cli/durations.hpp"
#include "cli/table.hpp"

#include <array>
#include <charconv>
#include <map>
#include <pwd.h>

namespace credlease::cli {
namespace {

constexpr std::array actions = {"credential.created",   "credential.edited",
                                "credential.revoked",   "credential.restored",
                                "credential.deleted",   "credential.expired",
                                "lease.issued",         "lease.renewed",
                                "lease.redelivered",    "lease.released",
                                "lease.ended",          "lease.refused",
                                "grant.minted",         "grant.withdrawn",
                                "grant.ended",          "directory.changed",
                                "access.refused",       "broker.started",
                                "broker.stopped",       "broker.sealed",
                                "broker.unsealed",      "log.gap",
                                "log.pruned",           "log.change_not_made",
                                "oauth.started",        "oauth.connected",
                                "oauth.failed",         "oauth.refreshing",
                                "oauth.refreshed",      "oauth.refresh_failed",
                                "oauth.in_doubt",       "oauth.revoked",
                                "oauth.refresh_asked",  "oauth.ending",
                                "oauth.rescued",        "oauth_client.changed",
                                "oauth_client.deleted", "oauth_client.ending"};

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

Result<Target> target_for(const Invocation& invocation, Client& client, const Asked& asked) {
    Target target("/v1/audit");
    if (!asked.credential.empty()) {
        const auto id = find_id(invocation, client, asked.credential);
        if (!id) return id.error();
        target = Target("/v1/credentials");
        target.segment(*id).segment("audit");
    }
    const auto since = read_moment("--since", asked.since);
    if (!since) return since.error();
    const auto until = read_moment("--until", asked.until);
    if (!until) return until.error();
    target.query("since", *since).query("until", *until).query("action", asked.action);
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

/// Why, or of what.
std::string detail_of(const json::value& record) {
    const std::string reason = text_at(record, {"reason"});
    return reason.empty() ? text_at(record, {"detail"}) : reason;
}

/// "uid 65534 (nobody)": who asked without being anyone to the broker.
std::string account_of(const std::string& uid) {
    uid_t number = 0;
    const auto [end, failed] = std::from_chars(uid.data(), uid.data() + uid.size(), number);
    if (failed != std::errc{}) return {};
    const passwd* account = getpwuid(number); // NOLINT(concurrency-mt-unsafe): one thread
    return "uid " + uid + (account == nullptr ? "" : " (" + std::string(account->pw_name) + ")");
}

std::string who_of(const json::value& record) {
    const std::string behalf = text_at(record, {"on_behalf_of"});
    const std::string pid = text_at(record, {"peer", "pid"});
    std::string text = text_at(record, {"principal"});
    if (text.empty()) text = account_of(text_at(record, {"peer", "uid"}));
    if (!behalf.empty()) text += " for " + behalf;
    if (!pid.empty() && pid != "0") text += " [" + pid + "]";
    return text;
}

/// The names of credentials by id, as far as one page reaches: a help for the eye, not worth a refusal.
std::map<std::string, std::string> names_of_credentials(Client& client) {
    constexpr std::size_t one_page = 500;
    std::map<std::string, std::string> names;
    const auto list = get_all(client, Target("/v1/credentials"), one_page);
    if (!list) return names;
    for (const auto& item : list->items) names[text_at(item, {"id"})] = text_at(item, {"name"});
    return names;
}

/// An action of a newer broker is asked for all the same: only one that is unknown here and was never recorded is
/// wrong, or what the broker itself does not take for one. "lease.*" is all of a kind.
Result<void> check_action(const Asked& asked, const Result<List>& list) {
    const bool may_be_wrong =
        list ? list->items.empty() && !asked.action.ends_with(".*") : list.error().field == "action";
    if (may_be_wrong) {
        auto checked = check_choice("action", asked.action, {actions.begin(), actions.end()});
        if (!checked) return checked;
    }
    return list ? Result<void>() : list.error();
}

Result<int> audit(const Invocation& invocation, const Asked& asked) {
    Client client = invocation.client();
    const auto target = target_for(invocation, client, asked);
    if (!target) return target.error();
    auto list = get_all(client, *target, asked.most);
    if (auto checked = check_action(asked, list); !checked) return checked.error();
    if (invocation.json) {
        print_items(std::move(list->items));
        return exit_done;
    }
    Table table({"SEQ", "TIME", "ACTION", "WHO", "WORKFLOW", "RUN", "CREDENTIAL", "DETAIL"});
    const auto names = names_of_credentials(client);
    for (const auto& record : list->items) {
        const auto name = names.find(text_at(record, {"credential"}));
        const bool refused = text_at(record, {"outcome"}) != "ok";
        table.add({{text_at(record, {"seq"}), Color::faint},
                   {time_at(record, {"at"})},
                   {what_of(record), refused ? Color::bad : Color::none},
                   {who_of(record)},
                   {text_at(record, {"workflow"})},
                   {text_at(record, {"run"})},
                   name == names.end() ? Cell{text_at(record, {"credential"}), Color::faint} : Cell{name->second},
                   {detail_of(record)}});
    }
    table.print("There is no such record.");
    say_whether_more(*list);
    return exit_done;
}

struct Anchor {
    std::string head;
};

/// `SEQ:HEX`, the record's number and the chain's 32 bytes up to it.
bool is_head(const std::string& text) {
    constexpr std::size_t digits = 64;
    const auto colon = text.find(':');
    if (colon == 0 || colon == std::string::npos || text.size() - colon - 1 != digits) return false;
    return text.find_first_not_of("0123456789") == colon &&
           text.find_first_not_of("0123456789abcdefABCDEF", colon + 1) == std::string::npos;
}

Result<int> verify(const Invocation& invocation, const Anchor& asked) {
    if (!asked.head.empty() && !is_head(asked.head)) {
        return usage("--head is SEQ:HEX, as \"audit head\" of credlease status shows it.",
                     "Take it from there, or from the broker's log.");
    }
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
        command.add_option("--since", asked.since, "Not before this time, or so long ago (1h)")->type_name("TIME");
        command.add_option("--until", asked.until, "Before this time, or so long ago (1h)")->type_name("TIME");
        command.add_option("--action", asked.action, "lease.issued, credential.created, …");
        command.add_option("--principal", asked.principal, "By this principal");
        command.add_option("--workflow", asked.workflow, "For this workflow");
        command.add_option("--run", asked.run, "For this run");
        command.add_option("--limit", asked.most, "The newest so many; 0 for all (default 50)")->type_name("N");
    };
    auto* audit_command =
        offer<Asked>(program, invocation, "audit", "Read the audit log, newest first", describe, audit);
    const auto describe_verify = [](CLI::App& command, Anchor& asked) {
        command.add_option("--head", asked.head, "Check against a head that was noted elsewhere")->type_name("SEQ:HEX");
    };
    offer<Anchor>(*audit_command, invocation, "verify", "Check the log's chain", describe_verify, verify);
}

} // namespace credlease::cli
