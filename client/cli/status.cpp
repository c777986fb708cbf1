#include "cli/answers.hpp"
#include "cli/commands.hpp"
#include "cli/credential_status.hpp"
#include "cli/table.hpp"

#include <unistd.h>

namespace credlease::cli {
namespace {

struct Asked {};

Color color_of(const std::string& state) {
    if (state == "ready") return Color::good;
    return state == "sealed" ? Color::bad : Color::warning;
}

std::string health_of(const json::value& status) {
    const auto* healthy = find_at(status, {"store", "healthy"});
    if (healthy == nullptr) return {};
    const std::string damaged = text_at(status, {"store", "damaged"});
    if (!is_true_at(status, {"store", "healthy"})) return "cannot be written";
    return damaged.empty() || damaged == "0" ? "healthy" : damaged + " damaged records";
}

void add_times(Sheet& sheet, const json::value& times, std::string name) {
    const std::string count = text_at(times, {"count"});
    if (count.empty()) return;
    sheet.add(std::move(name), "last " + text_at(times, {"last_ms"}) + " ms, p99 " + text_at(times, {"p99_ms"}) +
                                   " ms, longest " + text_at(times, {"max_ms"}) + " ms, of " + count);
}

/// Of the clock that ends first: "refresh token of inbox (cred_01j…) ends at 2026-12-24T18:00:00Z"
std::string describe_ending(const json::value& ending) {
    const std::string clock = text_at(ending, {"clock"});
    std::string line = clock == "access_token"    ? "token"
                       : clock == "refresh_idle"  ? "refresh token (unless it is used)"
                       : clock == "client_secret" ? "client secret"
                                                  : "refresh token";
    const std::string credential = text_at(ending, {"credential"});
    line += credential.empty() ? " of the organization's OAuth client for " + text_at(ending, {"service"})
                               : " of " + text_at(ending, {"name"}) + " (" + credential + ")";
    return line + " ends at " + time_at(ending, {"at"});
}

/// Which clocks run out, and what refreshes cost at each provider.
void add_oauth(Sheet& sheet, const json::value& status) {
    const std::string ending = text_at(status, {"oauth", "ending"});
    if (const auto* first = find_at(status, {"oauth", "first_ending"})) {
        sheet.add("clocks running out", ending + (ending == "1" ? ": " : ", first: ") + describe_ending(*first),
                  Color::warning);
    } else {
        sheet.add("clocks running out", ending == "0" ? "" : ending, Color::warning);
    }
    const auto* providers = find_at(status, {"oauth", "providers"});
    if (providers == nullptr || !providers->is_object()) return;
    for (const auto& [service, times] : providers->get_object()) {
        const std::string of(service);
        if (const auto* refused = find_at(times, {"may_be_refused"})) {
            add_times(sheet, *refused, of + ": token refused for");
        }
        if (const auto* kept = find_at(times, {"until_durable"})) add_times(sheet, *kept, of + ": until on the disk");
    }
}

/// How many credentials need a person or a look, by their status.
void add_credentials(Sheet& sheet, Client& client, const json::value& status) {
    const std::string all = text_at(status, {"credentials"});
    sheet.add("credentials", all);
    if (all.empty() || all == "0") return; // counts are for operators, of an unsealed broker
    for (const std::string each : {"pending", "failing", "expired"}) {
        const auto found = get_all(client, Target("/v1/credentials").query("status", each), 0);
        if (!found || found->items.empty()) continue;
        sheet.add("  " + each, std::to_string(found->items.size()) + " (credlease list --status " + each + ")",
                  color_of_status(each));
    }
}

/// Which one is in force, and why a newer one is not.
void add_config(Sheet& sheet, const json::value& status) {
    const std::string file = text_at(status, {"config", "file"});
    if (!file.empty()) sheet.add("config", file + ", as it was at " + time_at(status, {"config", "loaded_at"}));
    sheet.add("reload refused", text_at(status, {"config", "error"}), Color::bad);
}

Result<int> status(const Invocation& invocation, const Asked&) {
    Client client = invocation.client();
    auto door = Client::Door::admin;
    const auto answer = get(client, Target("/v1/status").also_for_workers(), door);
    if (!answer) return answer.error();
    if (invocation.json) {
        print_json(*answer);
        return exit_done;
    }
    const std::string state = text_at(*answer, {"state"});
    const std::string health = health_of(*answer);
    const std::string engine = text_at(*answer, {"store", "engine"});
    Sheet sheet;
    sheet.add("state", state, color_of(state));
    sheet.add("socket", door == Client::Door::admin ? client.admin_socket() : client.lease_socket());
    sheet.add("version", text_at(*answer, {"version"}));
    add_config(sheet, *answer);
    sheet.add("seal method", text_at(*answer, {"seal_method"}));
    sheet.add("root key", text_at(*answer, {"root_key"}));
    sheet.add("key memory", text_at(*answer, {"arena"}));
    sheet.add("peers known by", text_at(*answer, {"peer"}));
    sheet.add("store", engine + (health.empty() ? "" : ", " + health),
              health.empty() || health == "healthy" ? Color::none : Color::bad);
    add_credentials(sheet, client, *answer);
    sheet.add("live leases", text_at(*answer, {"leases"}));
    sheet.add("grants", text_at(*answer, {"grants"}));
    sheet.add("audit head", text_at(*answer, {"audit_head"}));
    add_oauth(sheet, *answer);
    sheet.print();
    if (state == "sealed") write_all(STDERR_FILENO, "Unseal it with: credlease unseal\n");
    if (find_at(*answer, {"config", "error"}) != nullptr) {
        write_all(STDERR_FILENO,
                  "Mend the config (credleased --check-config says whether it is right), and reload it.\n");
    }
    return exit_done;
}

} // namespace

void offer_status(CLI::App& program, Invocation& invocation) {
    offer<Asked>(program, invocation, "status", "Say how the broker is", nullptr, status);
}

} // namespace credlease::cli
