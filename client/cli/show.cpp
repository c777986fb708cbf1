#include "cli/commands.hpp"
#include "cli/credential_reference.hpp"
#include "cli/credential_status.hpp"
#include "cli/table.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace credlease::cli {
namespace {

struct Asked {
    std::string credential;
};

void add_fields(Sheet& sheet, const json::value& entry) {
    const auto* fields = find_at(entry, {"fields"});
    if (fields == nullptr || !fields->is_object()) return;
    for (const auto& [name, value] : fields->get_object()) {
        const bool is_secret = is_true_at(value, {"set"});
        sheet.add("  " + std::string(name), is_secret ? "(secret)" : text_at(value, {}),
                  is_secret ? Color::faint : Color::none);
    }
}

/// A broker tells when its own default is due, too, which says nothing of this credential until the time has come.
void add_rotation(Sheet& sheet, const json::value& entry) {
    constexpr std::string_view broker_default = "90d"; // [rotation] every
    const bool is_overdue = is_true_at(entry, {"rotation", "overdue"});
    if (!is_overdue && text_at(entry, {"rotation", "every"}) == broker_default) return;
    sheet.add("rotation due", time_at(entry, {"rotation", "due_at"}), is_overdue ? Color::warning : Color::none);
}

/// Whether the broker warns of it by now.
bool is_ending(const json::value& entry, const std::string& slot, std::string_view clock) {
    const auto* all = find_at(entry, {"oauth", "ending"});
    if (all == nullptr || !all->is_array()) return false;
    return std::ranges::any_of(all->get_array(), [&](const json::value& one) {
        return text_at(one, {"clock"}) == clock && text_at(one, {"slot"}) == slot;
    });
}

std::string joined(const json::value* texts) {
    std::string line;
    if (texts == nullptr || !texts->is_array()) return line;
    for (const auto& text : texts->get_array()) line += (line.empty() ? "" : " ") + text_at(text, {});
    return line;
}

/// Each with its own clocks.
void add_slot(Sheet& sheet, const json::value& entry, const json::value& token, const std::string& prefix) {
    struct Line {
        std::string_view name, clock, member;
    };
    constexpr std::array<Line, 3> lines = {{{"token ends", "access_token", "token_expires_at"},
                                            {"refresh token ends unless used", "refresh_idle", "refresh_idle_ends_at"},
                                            {"refresh token ends", "refresh_absolute", "refresh_ends_at"}}};
    const std::string slot = text_at(token, {"slot"});
    for (const auto& [name, clock, member] : lines) {
        const auto color = is_ending(entry, slot, clock) ? Color::warning : Color::none;
        sheet.add(prefix + std::string(name), time_at(token, {member}), color);
    }
    if (const auto* refreshable = find_at(token, {"refreshable"})) {
        sheet.add(prefix + "refresh token", *refreshable == true ? "held" : "none");
    }
    sheet.add(prefix + "scopes granted", joined(find_at(token, {"scopes"})));
    sheet.add(prefix + "scopes lost", joined(find_at(token, {"lost_scopes"})), Color::warning);
}

/// Of an OAuth credential: what its tokens live on.
void add_tokens(Sheet& sheet, const json::value& entry) {
    sheet.add("account", text_at(entry, {"oauth", "account"}));
    sheet.add("connected", time_at(entry, {"oauth", "connected_at"}));
    const auto* tokens = find_at(entry, {"oauth", "tokens"});
    if (tokens != nullptr && tokens->is_array()) {
        const auto& all = tokens->get_array();
        for (const auto& token : all) {
            add_slot(sheet, entry, token, all.size() > 1 ? text_at(token, {"slot"}) + ": " : "");
        }
    }
    sheet.add("client secret ends", time_at(entry, {"oauth", "client_secret_ends_at"}),
              is_ending(entry, "", "client_secret") ? Color::warning : Color::none);
    sheet.add("token refused in a refresh for", text_at(entry, {"oauth", "may_be_refused_for"}));
    sheet.add("refreshed", time_at(entry, {"oauth", "refreshed_at"}));
    sheet.add("next refresh", time_at(entry, {"oauth", "refresh_at"}));
    const std::string in_doubt = time_at(entry, {"oauth", "in_doubt_since"});
    if (!in_doubt.empty()) sheet.add("refresh in doubt", "begun " + in_doubt + ", its answer was lost", Color::warning);
    const auto failures = text_at(entry, {"oauth", "failures"});
    if (!failures.empty() && failures != "0") {
        sheet.add("failures", failures + ", the last " + text_at(entry, {"oauth", "last_failure"}), Color::warning);
    }
}

/// Of the last consent that was asked for, unless it came.
void add_authorization(Sheet& sheet, const json::value& entry) {
    const std::string state = text_at(entry, {"authorization", "state"});
    if (state == "pending") {
        sheet.add("authorization", "waits for a person until " + time_at(entry, {"authorization", "expires_at"}),
                  Color::warning);
    } else if (!state.empty()) {
        sheet.add("authorization", state + ": " + text_at(entry, {"authorization", "error"}), Color::bad);
    }
}

Result<int> show(const Invocation& invocation, const Asked& asked) {
    Client client = invocation.client();
    const auto found = find_credential(invocation, client, asked.credential);
    if (!found) return found.error();
    const json::value& entry = found->entry;
    if (invocation.json) {
        print_json(entry);
        return exit_done;
    }
    const std::string status = text_at(entry, {"status"});
    Sheet sheet;
    sheet.add("name", found->name);
    sheet.add("id", found->id);
    sheet.add("service", text_at(entry, {"service"}) + " (" + text_at(entry, {"auth"}) + ")");
    sheet.add("scope", scope_at(entry));
    sheet.add("owner", text_at(entry, {"owner"}));
    sheet.add("status", status, color_of_status(status));
    sheet.add("why", text_at(entry, {"status_reason"}));
    add_authorization(sheet, entry);
    sheet.add("notes", text_at(entry, {"notes"}));
    add_fields(sheet, entry);
    sheet.add("version", text_at(entry, {"version"}));
    sheet.add("revision", text_at(entry, {"revision"}));
    sheet.add("created", time_at(entry, {"created_at"}) + " by " + text_at(entry, {"created_by"}));
    sheet.add("updated", time_at(entry, {"updated_at"}));
    sheet.add("last used", time_at(entry, {"last_used_at"}));
    sheet.add("expires", time_at(entry, {"expires_at"}));
    add_rotation(sheet, entry);
    add_tokens(sheet, entry);
    sheet.print();
    return exit_done;
}

} // namespace

void offer_show(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command.add_option("credential", asked.credential, "Its id or name")->required();
    };
    offer<Asked>(program, invocation, "show", "Show a credential, without its secrets", describe, show);
}

} // namespace credlease::cli
