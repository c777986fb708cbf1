#include "cli/authorization.hpp"
#include "cli/commands.hpp"
#include "cli/credential_reference.hpp"
#include "cli/durations.hpp"
#include "cli/field_input.hpp"
#include "cli/prompt.hpp"
#include "cli/terminal.hpp"

#include <algorithm>
#include <optional>
#include <unistd.h>

namespace credlease::cli {
namespace {

struct Asked {
    std::string service;
    std::string name;
    std::string auth;
    std::string scope;
    std::string notes;
    std::string expires_at;
    std::string rotate_every;
    std::vector<std::string> fields;
    bool device = false;
    bool refresh_token = false;
};

Result<json::object> read_members(const Asked& asked, const std::string& auth) {
    json::object members{{"service", asked.service}, {"auth", auth}, {"name", asked.name}};
    if (!asked.scope.empty()) {
        auto scope = read_scope(asked.scope);
        if (!scope) return scope.error();
        members["scope"] = std::move(*scope);
    }
    if (!asked.notes.empty()) members["notes"] = asked.notes;
    if (!asked.expires_at.empty()) members["expires_at"] = asked.expires_at;
    if (!asked.rotate_every.empty()) members["rotate_every"] = asked.rotate_every;
    return members;
}

/// Before anything is stored. nullopt: none is meant to be given.
Result<std::optional<SecretText>> read_token(const ServiceAuth& auth, const Asked& asked) {
    using Maybe = std::optional<SecretText>;
    if (!asked.refresh_token) return Maybe();
    if (!auth.is_oauth) {
        return usage("\"" + asked.service +
                         "\" takes no refresh token: it is not connected by OAuth. Nothing was sent.",
                     "Leave --refresh-token out, or choose another --auth.");
    }
    const auto takes_input = [](const std::string& field) { return field.ends_with("=-"); };
    if (!can_ask() && std::ranges::any_of(asked.fields, takes_input)) {
        return usage("Standard input is one value: the refresh token, or a --field. Nothing was sent.",
                     "Put the field into a file: --field NAME=@FILE.");
    }
    auto token = read_refresh_token();
    if (!token) return token.error();
    return Maybe(std::move(*token));
}

/// For a program, which goes on as it likes: with the authorization that was begun where a person is needed. Where that
/// failed, what was stored is printed all the same.
int print_stored(const Invocation& invocation, json::value made, bool is_pending, bool by_device) {
    int status = exit_done;
    if (is_pending) {
        const auto id = text_at(made, {"id"});
        auto begun = begin_for_program(invocation, {.id = id, .is_new = true, .by_device = by_device});
        const auto state = text_at(begun, {"state"});
        if (state == "failed") status = exit_refused;
        if (state == "connected") { // nobody was needed
            Client client = invocation.client();
            auto connected = get(client, Target("/v1/credentials").segment(id));
            if (connected) made = std::move(*connected);
        }
        made.as_object()["authorization"] = std::move(begun);
    }
    print_json(made);
    return status;
}

Result<void> check_times(const Asked& asked) {
    if (auto every = read_duration("--rotate-every", asked.rotate_every); !every) return every.error();
    return check_time("--expires-at", asked.expires_at);
}

Result<int> add(const Invocation& invocation, Asked asked) {
    if (auto checked = check_times(asked); !checked) return checked.error();
    Client client = invocation.client();
    const auto auth = fetch_auth(client, asked.service, asked.auth);
    if (!auth) return auth.error();
    auto fields = read_fields(*auth, asked.fields);
    if (!fields) return fields.error();
    if (asked.name.empty()) {
        if (!can_ask()) return usage("A new credential needs a --name.");
        const auto name = ask("Name", asked.service);
        if (!name) return name.error();
        asked.name = *name;
    }
    if (auto complete = ask_for_missing(*auth, *fields); !complete) return complete.error();
    if (!invocation.json) {
        if (auto complete = ask_for_client_secret(*auth, *fields); !complete) return complete.error();
    }
    const auto members = read_members(asked, auth->name);
    if (!members) return members.error();
    auto token = read_token(*auth, asked);
    if (!token) return token.error();

    const auto answer =
        client.send_fields({.method = "POST", .path = "/v1/credentials"}, members_of(*members), std::move(*fields));
    if (!answer) return answer.error();
    const auto made = read_json(*answer);
    if (!made) return made.error();
    const bool is_pending = text_at(*made, {"status"}) == "pending";
    if (invocation.json && !*token) return print_stored(invocation, std::move(*made), is_pending, asked.device);
    if (!invocation.json) {
        write_all(STDOUT_FILENO,
                  "Added " + printable(text_at(*made, {"name"})) + " (" + text_at(*made, {"id"}) + ").\n");
    }
    if (!is_pending) return exit_done;
    return authorize(invocation, {.id = text_at(*made, {"id"}),
                                  .name = printable(text_at(*made, {"name"})),
                                  .is_new = true,
                                  .by_device = asked.device,
                                  .refresh_token = std::move(*token),
                                  .waits_for_address = can_ask(), // a script goes on
                                  .waits_for_code = can_ask()});
}

} // namespace

void offer_add(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command.footer(
            "An OAuth credential is authorized at once: in a browser, by a code (--device), or without a\n"
            "person where its flow needs none. Where nobody can be asked, what a person has to do is shown,\n"
            "and how to go on; with --json as \"authorization\" of what is printed, also on a terminal. Where that\n"
            "fails the exit status is 1, and the credential is stored.");
        command.add_option("service", asked.service, "What it is for (see: credlease services)")->required();
        command.add_option("--name", asked.name, "What it is called (required where nobody can be asked)");
        command.add_option("--auth", asked.auth, "The auth type, where the service has several (default its first)");
        command.add_option(
            "--scope", asked.scope,
            "personal, workspace:W or organization (default personal for a user, workspace:default for an operator)");
        repeatable(command.add_option("--field", asked.fields,
                                      "NAME=VALUE; a secret as NAME=@FILE or NAME=- (asked for, or standard input)"))
            ->type_name("FIELD");
        auto* device = command.add_flag("--device", asked.device,
                                        "OAuth for a machine without a browser: a code is typed elsewhere");
        command.add_flag("--refresh-token", asked.refresh_token, refresh_token_help)->excludes(device);
        command.add_option("--notes", asked.notes, "Notes for people");
        command.add_option("--expires-at", asked.expires_at, "When it ends (RFC 3339)")->type_name("TIME");
        command.add_option("--rotate-every", asked.rotate_every, "How often it is to be changed, such as 90d")
            ->type_name("DURATION");
    };
    offer<Asked>(program, invocation, "add", "Store a new credential; asks for what is missing", describe, add);
}

} // namespace credlease::cli
