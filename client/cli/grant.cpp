#include "cli/commands.hpp"
#include "cli/credential_reference.hpp"
#include "cli/terminal.hpp"
#include "cli/token_file.hpp"
#include "cli/withdraw.hpp"

#include <boost/json/serialize.hpp>

#include <charconv>
#include <optional>
#include <pwd.h>
#include <unistd.h>

namespace credlease::cli {
namespace {

struct Asked {
    std::string workspace = "default";
    std::string user;
    std::string workflow;
    std::string run;
    std::vector<std::string> credentials;
    std::vector<std::string> services;
    std::vector<std::string> fields;
    bool all = false;
    std::string ttl;
    std::string max_ttl;
    std::optional<std::uint32_t> max_leases;
    std::string uid;
    bool bearer = false;
    std::string out;
};

/// An account's name or number.
Result<std::int64_t> read_uid(const std::string& text) {
    std::uint32_t number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed == std::errc{} && end == text.data() + text.size()) return std::int64_t{number};
    const passwd* account = getpwnam(text.c_str()); // NOLINT(concurrency-mt-unsafe): one thread
    if (account == nullptr) return usage("There is no account \"" + text + "\" on this host.");
    return std::int64_t{account->pw_uid};
}

Result<void> add_reach(Client& client, const Asked& asked, json::object& body) {
    if (asked.all) body["all"] = true;
    if (!asked.services.empty()) body["services"] = json::array(asked.services.begin(), asked.services.end());
    json::array ids;
    for (const auto& credential : asked.credentials) {
        const auto id = find_id(client, credential);
        if (!id) return id.error();
        ids.emplace_back(*id);
    }
    if (!ids.empty()) body["credentials"] = std::move(ids);
    return {};
}

Result<json::object> body_for(Client& client, const Asked& asked) {
    json::object body{{"workspace", asked.workspace}, {"workflow", asked.workflow}, {"ttl", asked.ttl}};
    if (!asked.run.empty()) body["run"] = asked.run;
    if (!asked.user.empty()) body["user"] = asked.user;
    if (!asked.fields.empty()) body["fields"] = json::array(asked.fields.begin(), asked.fields.end());
    if (!asked.max_ttl.empty()) body["max_ttl"] = asked.max_ttl;
    if (asked.max_leases) body["max_leases"] = *asked.max_leases;
    if (asked.bearer) body["uid"] = nullptr;
    if (!asked.uid.empty()) {
        const auto uid = read_uid(asked.uid);
        if (!uid) return uid.error();
        body["uid"] = *uid;
    }
    if (auto reached = add_reach(client, asked, body); !reached) return reached.error();
    return body;
}

/// The token goes straight to where it is to be; no string of this program holds it.
void print_minted(const Invocation& invocation, const Answer& answer, const SecretText& token) {
    if (!invocation.json) {
        token.expose([](std::string_view text) { return write_all(STDOUT_FILENO, text); });
        write_all(STDOUT_FILENO, "\n");
        return;
    }
    write_all(STDOUT_FILENO, "{\"grant\":\"");
    token.expose([](std::string_view text) { return write_all(STDOUT_FILENO, text); });
    write_all(STDOUT_FILENO, "\"," + answer.json.substr(1) + "\n");
}

Result<int> mint(const Invocation& invocation, const Asked& asked) {
    const int ways = int{asked.all} + int{!asked.services.empty()} + int{!asked.credentials.empty()};
    if (ways != 1) return usage("Say what the grant reaches: --credential C…, --service S… or --all.");
    if (asked.workflow.empty() || asked.ttl.empty()) return usage("A grant needs a --workflow and a --ttl (1h).");
    Client client = invocation.client();
    const auto body = body_for(client, asked);
    if (!body) return body.error();
    const auto minted =
        client.send_for_secret({.method = "POST", .path = "/v1/grants", .json = json::serialize(*body)}, "grant");
    if (!minted) return minted.error();
    const auto& [answer, token] = *minted;
    if (asked.out.empty()) {
        print_minted(invocation, answer, token);
        return exit_done;
    }
    if (auto written = write_token_file(asked.out, token); !written) return written.error();
    const auto facts = read_json(answer);
    if (!facts) return facts.error();
    if (invocation.json) {
        print_json(*facts);
    } else {
        write_all(STDERR_FILENO, "Grant " + text_at(*facts, {"id"}) + " is in " + printable(asked.out) + " until " +
                                     time_at(*facts, {"expires_at"}) + ".\n");
    }
    return exit_done;
}

void describe(CLI::App& command, Asked& asked) {
    command.add_option("--workspace", asked.workspace, "In this workspace (default)");
    command.add_option("--workflow", asked.workflow, "For this workflow");
    command.add_option("--run", asked.run, "For this run of it");
    command.add_option("--for", asked.user, "On behalf of yourself, with your personal credentials")->type_name("USER");
    repeatable(command.add_option("--credential", asked.credentials, "To lease this one (repeatable)"))->type_name("C");
    repeatable(command.add_option("--service", asked.services, "To lease those of this service (repeatable)"))
        ->type_name("SERVICE");
    command.add_flag("--all", asked.all, "To lease whatever the workspace reaches");
    repeatable(command.add_option("--fields", asked.fields, "These fields alone (repeatable)"))->type_name("FIELD");
    command.add_option("--ttl", asked.ttl, "How long it lives (1h)")->type_name("DURATION");
    command.add_option("--max-ttl", asked.max_ttl, "How long a lease under it lives at most")->type_name("DURATION");
    command.add_option("--max-leases", asked.max_leases, "How many leases it is good for")->type_name("N");
    auto* uid = command.add_option("--uid", asked.uid, "For processes of this account (default: yours)");
    command.add_flag("--bearer", asked.bearer, "For whoever holds the token")->excludes(uid);
    command.add_option("--out", asked.out, "Write the token to this file, readable by you alone")->type_name("FILE");
}

} // namespace

void offer_grant(CLI::App& program, Invocation& invocation) {
    auto* grant = offer<Asked>(program, invocation, "grant", "Mint a grant for one run and print its token",
                               std::function(describe), mint);
    offer_withdraw(*grant, invocation);
}

} // namespace credlease::cli
