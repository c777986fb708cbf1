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

Result<void> add_reach(const Invocation& invocation, Client& client, const Asked& asked, json::object& body) {
    if (asked.all) body["all"] = true;
    if (!asked.services.empty()) body["services"] = json::array(asked.services.begin(), asked.services.end());
    json::array ids;
    for (const auto& credential : asked.credentials) {
        const auto id = find_id(invocation, client, credential);
        if (!id) return id.error();
        ids.emplace_back(*id);
    }
    if (!ids.empty()) body["credentials"] = std::move(ids);
    return {};
}

Result<json::object> body_for(const Invocation& invocation, Client& client, const Asked& asked) {
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
    if (auto reached = add_reach(invocation, client, asked, body); !reached) return reached.error();
    return body;
}

Result<std::pair<Answer, SecretText>> request_grant(Client& client, const json::object& body) {
    return client.send_for_secret({.method = "POST", .path = "/v1/grants", .json = json::serialize(body)}, "grant");
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

std::string told_of(const json::value& facts, const std::string& where) {
    return "Grant " + text_at(facts, {"id"}) + where + " until " + time_at(facts, {"expires_at"}) + ".\n";
}

/// The grant whose token is lost is of use to nobody.
Error withdraw_lost(Client& client, Error error, const json::value& facts) {
    const std::string id = text_at(facts, {"id"});
    const bool is_withdrawn = client.send({.method = "DELETE", .path = Target("/v1/grants").segment(id).text()}).ok();
    error.sentence += is_withdrawn ? " The grant was withdrawn." : " The grant " + id + " is live, and its token lost.";
    if (!is_withdrawn) error.next_step = "Withdraw it with: credlease grants withdraw " + id;
    return error;
}

Result<int> put_into_file(const Invocation& invocation, Client& client, const Asked& asked, const json::object& body) {
    const auto* uid = body.if_contains("uid");
    const bool is_for_one = uid != nullptr && uid->is_int64();
    const auto file =
        TokenFile::make(asked.out, is_for_one ? std::optional(static_cast<uid_t>(uid->get_int64())) : std::nullopt);
    if (!file) return file.error();
    const auto minted = request_grant(client, body);
    if (!minted) return minted.error();
    const auto facts = read_json(minted->first);
    if (!facts) return facts.error();
    if (auto written = file->publish(minted->second); !written) return withdraw_lost(client, written.error(), *facts);
    if (invocation.json) {
        print_json(*facts);
    } else {
        write_all(STDERR_FILENO, told_of(*facts, " is in " + printable(asked.out)));
    }
    if (!file->is_readable_as_wanted()) {
        write_all(STDERR_FILENO, printable(asked.out) + " is yours alone: " + printable(asked.uid) +
                                     " cannot read it. Only root can hand a file over: sudo chown " +
                                     printable(asked.uid) + " " + printable(asked.out) + "\n");
    }
    return exit_done;
}

Result<int> mint(const Invocation& invocation, const Asked& asked) {
    const int ways = int{asked.all} + int{!asked.services.empty()} + int{!asked.credentials.empty()};
    if (ways != 1) return usage("Say what the grant reaches: --credential C…, --service S… or --all.");
    if (asked.workflow.empty() || asked.ttl.empty()) {
        return usage("A grant needs a --workflow and a --ttl (such as 1h).", "See: credlease grant --help");
    }
    Client client = invocation.client();
    const auto body = body_for(invocation, client, asked);
    if (!body) return body.error();
    if (!asked.out.empty()) return put_into_file(invocation, client, asked, *body);
    const auto minted = request_grant(client, *body);
    if (!minted) return minted.error();
    print_minted(invocation, minted->first, minted->second);
    const auto facts = read_json(minted->first);
    if (facts && !invocation.json) write_all(STDERR_FILENO, told_of(*facts, " is good"));
    return exit_done;
}

void describe(CLI::App& command, Asked& asked) {
    command.add_option("--workspace", asked.workspace, "In this workspace (default \"default\")");
    command.add_option("--workflow", asked.workflow, "For this workflow (required)");
    command.add_option("--run", asked.run, "For this run of it");
    command.add_option("--for", asked.user, "On behalf of yourself, with your personal credentials")->type_name("USER");
    repeatable(command.add_option("--credential", asked.credentials, "To lease this one (repeatable)"))->type_name("C");
    repeatable(command.add_option("--service", asked.services, "To lease those of this service (repeatable)"))
        ->type_name("SERVICE");
    command.add_flag("--all", asked.all, "To lease whatever the workspace reaches");
    repeatable(command.add_option("--fields", asked.fields, "These fields alone (repeatable)"))->type_name("FIELD");
    command.add_option("--ttl", asked.ttl, "How long it lives, such as 1h (required)")->type_name("DURATION");
    command
        .add_option("--max-ttl", asked.max_ttl, "How long a lease under it lives at most (default the broker's, 1h)")
        ->type_name("DURATION");
    command.add_option("--max-leases", asked.max_leases, "How many leases it is good for (default any number)")
        ->type_name("N");
    auto* uid = command.add_option("--uid", asked.uid, "For processes of this account (default yours)");
    command.add_flag("--bearer", asked.bearer, "For whoever holds the token")->excludes(uid);
    command
        .add_option("--out", asked.out,
                    "Write the token to this new file, which its reader alone can read: you, or, when root mints, the "
                    "account of --uid")
        ->type_name("FILE");
}

} // namespace

void offer_grant(CLI::App& program, Invocation& invocation) {
    auto* grant = offer<Asked>(program, invocation, "grant", "Mint a grant for one run and print its token",
                               std::function(describe), mint);
    offer_withdraw(*grant, invocation);
}

} // namespace credlease::cli
