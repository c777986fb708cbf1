#include "cli/answers.hpp"
#include "cli/commands.hpp"
#include "cli/durations.hpp"
#include "cli/field_input.hpp"
#include "cli/prompt.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <optional>
#include <unistd.h>

namespace credlease::cli {
namespace {

using FieldValue = Client::FieldValue;

Target clients() { return Target("/v1/oauth/clients"); }

struct New {
    std::string service;
    std::string auth;
    std::string client_id;
    std::vector<std::string> fields;
    std::optional<std::string> secret_ends;
    bool is_public = false;
};

/// What was given for the field, and no longer in `fields`.
std::optional<FieldValue> take(std::vector<FieldValue>& fields, const std::string& name) {
    const auto found = std::ranges::find(fields, name, &FieldValue::name);
    if (found == fields.end()) return std::nullopt;
    FieldValue taken = std::move(*found);
    fields.erase(found);
    return taken;
}

/// Of a field that may be seen; from a file, too.
std::string text_of(const FieldValue& field) {
    if (const auto* text = std::get_if<std::string>(&field.value)) return *text;
    return std::get<SecretText>(field.value).expose([](std::string_view text) { return std::string(text); });
}

Result<std::string> read_id(const ServiceAuth& auth, const New& asked, std::vector<FieldValue>& fields) {
    const auto given = take(fields, auth.client_id);
    if (given && !asked.client_id.empty()) return usage("The client ID is given twice.");
    if (given) return text_of(*given);
    if (!asked.client_id.empty()) return asked.client_id;
    if (!can_ask()) return usage("The client needs its ID.", "Give it with --client-id ID.");
    auto typed = ask("Client ID");
    if (typed && typed->empty()) return usage("No client ID was given. Nothing was sent.");
    return typed;
}

/// None: a public client.
Result<std::optional<SecretText>> read_secret(const ServiceAuth& auth, const New& asked,
                                              std::vector<FieldValue>& fields) {
    using Maybe = std::optional<SecretText>;
    auto given = take(fields, auth.client_secret);
    if (asked.is_public) {
        if (given) return usage("A public client has no secret: give one, or say --public.");
        return Maybe();
    }
    if (given) return Maybe(std::move(std::get<SecretText>(given->value)));
    const std::string option = "--field " + auth.client_secret + "=";
    if (!can_ask()) {
        return usage("The client needs its secret.", "Give it with " + option + "- (standard input) or " + option +
                                                         "@FILE, or say --public where it has none.");
    }
    auto typed = ask_secret("Client secret");
    if (!typed) return typed.error();
    if (typed->empty()) {
        return usage("No client secret was given. Nothing was sent.", "Say --public where the client has none.");
    }
    return Maybe(std::move(*typed));
}

/// What is left over goes as text that may be seen.
Result<void> check_places(const ServiceAuth& auth, const std::vector<FieldValue>& fields) {
    for (const auto& field : fields) {
        if (!auth.find(field.name)->secret) continue;
        return usage("\"" + field.name + "\" is a secret of each credential, not of the client. Nothing was sent.");
    }
    return {};
}

json::object members_of(const New& asked, std::string client_id, const std::vector<FieldValue>& fields) {
    json::object places;
    for (const auto& field : fields) {
        places[field.name] = field.is_json ? json::parse(text_of(field)) : json::value(text_of(field));
    }
    json::object members{{"client_id", std::move(client_id)}, {"fields", std::move(places)}};
    if (!asked.auth.empty()) members["auth"] = asked.auth;
    if (asked.secret_ends && !asked.secret_ends->empty()) members["client_secret_ends_at"] = *asked.secret_ends;
    return members;
}

/// When its secret ends is said of the client that is there: nothing of it is given anew.
bool is_end_alone(const New& asked) {
    return asked.secret_ends && asked.client_id.empty() && asked.auth.empty() && asked.fields.empty() &&
           !asked.is_public;
}

Result<int> set_end(const Invocation& invocation, const New& asked) {
    const json::value end = asked.secret_ends->empty() ? json::value() : json::value(*asked.secret_ends);
    const auto answer =
        invocation.client().send({.method = "PATCH",
                                  .path = clients().segment(asked.service).text(),
                                  .json = json::serialize(json::object{{"client_secret_ends_at", end}})});
    if (!answer) return answer.error();
    const auto changed = read_json(*answer);
    if (!changed) return changed.error();
    const std::string ends = time_at(*changed, {"client_secret_ends_at"});
    if (invocation.json) {
        print_json(*changed);
    } else {
        write_all(STDOUT_FILENO, "The secret of the organization's OAuth client for " + printable(asked.service) +
                                     (ends.empty() ? " ends nobody knows when.\n" : " ends at " + ends + ".\n"));
    }
    return exit_done;
}

Result<int> set(const Invocation& invocation, const New& asked) {
    if (auto checked = check_time("--secret-ends", asked.secret_ends.value_or("")); !checked) return checked.error();
    if (is_end_alone(asked)) return set_end(invocation, asked);
    Client client = invocation.client();
    const auto auth = fetch_client_auth(client, asked.service, asked.auth);
    if (!auth) return auth.error();
    auto fields = read_fields(*auth, asked.fields);
    if (!fields) return fields.error();
    auto id = read_id(*auth, asked, *fields);
    if (!id) return id.error();
    const auto secret = read_secret(*auth, asked, *fields);
    if (!secret) return secret.error();
    if (auto checked = check_places(*auth, *fields); !checked) return checked.error();
    const Client::Request request{.method = "PUT",
                                  .path = clients().segment(asked.service).text(),
                                  .json = json::serialize(members_of(asked, std::move(*id), *fields))};
    const auto answer = *secret ? client.send_secret(request, "client_secret", **secret) : client.send(request);
    if (!answer) return answer.error();
    const auto made = read_json(*answer);
    if (!made) return made.error();
    if (invocation.json) {
        print_json(*made);
    } else {
        write_all(STDOUT_FILENO, "The organization's OAuth client for " + printable(asked.service) +
                                     " is set. Register this redirect URI at the provider:\n" +
                                     printable(text_at(*made, {"redirect_uri"})) + "\n");
    }
    return exit_done;
}

struct One {
    std::string service;
    bool yes = false;
};

Result<int> show(const Invocation& invocation, const One& asked) {
    Client client = invocation.client();
    const auto found = get(client, clients().segment(asked.service));
    if (!found) return found.error();
    if (invocation.json) {
        print_json(*found);
        return exit_done;
    }
    Sheet sheet;
    sheet.add("Service", text_at(*found, {"service"}));
    sheet.add("Auth type", text_at(*found, {"auth"}));
    sheet.add("Client ID", text_at(*found, {"client_id"}));
    sheet.add("Client secret", is_true_at(*found, {"client_secret", "set"}) ? "set" : "none: a public client");
    sheet.add("Secret ends", time_at(*found, {"client_secret_ends_at"}));
    if (const auto* fields = find_at(*found, {"fields"}); fields != nullptr && fields->is_object()) {
        for (const auto& [name, value] : fields->get_object()) sheet.add(std::string(name), text_at(value, {}));
    }
    sheet.add("Redirect URI", text_at(*found, {"redirect_uri"}));
    sheet.add("Changed", time_at(*found, {"updated_at"}) + " by " + text_at(*found, {"updated_by"}));
    sheet.print();
    return exit_done;
}

struct All {};

Result<int> list(const Invocation& invocation, const All&) {
    Client client = invocation.client();
    auto all = get_all(client, clients(), 0);
    if (!all) return all.error();
    if (invocation.json) {
        print_items(std::move(all->items));
        return exit_done;
    }
    Table table({"SERVICE", "AUTH", "CLIENT ID", "SECRET", "ENDS", "CHANGED"});
    for (const auto& item : all->items) {
        table.add({{text_at(item, {"service"})},
                   {text_at(item, {"auth"})},
                   {text_at(item, {"client_id"})},
                   {is_true_at(item, {"client_secret", "set"}) ? "set" : "none"},
                   {time_at(item, {"client_secret_ends_at"})},
                   {time_at(item, {"updated_at"})}});
    }
    table.print("The organization has no OAuth client.");
    return exit_done;
}

Result<int> remove(const Invocation& invocation, const One& asked) {
    const std::string what = "the organization's OAuth client for " + printable(asked.service);
    if (!asked.yes) {
        const auto sure = ask_yes("Delete " + what + "? Credentials that use it get no new tokens.", "--yes");
        if (!sure) return sure.error();
        if (!*sure) return usage("Nothing was deleted.");
    }
    Client client = invocation.client();
    const auto answer = client.send({.method = "DELETE", .path = clients().segment(asked.service).text()});
    if (!answer) return answer.error();
    if (invocation.json) {
        print_json(json::object{{"deleted", asked.service}});
    } else {
        write_all(STDOUT_FILENO, "Deleted " + what + ".\n");
    }
    return exit_done;
}

void describe_set(CLI::App& command, New& asked) {
    command.footer(
        "The secret is asked for, or comes as --field client_secret=@FILE or, on standard input where that is no\n"
        "terminal, as --field client_secret=-. Where a field of the service decides the host, say which with\n"
        "--field NAME=VALUE: the secret goes nowhere else. What was set before is replaced whole; with --secret-ends\n"
        "alone nothing else changes.");
    command.add_option("service", asked.service, "Whose OAuth app it is (see: credlease services)")->required();
    command.add_option("--client-id", asked.client_id, "Its ID, as the provider shows it")->type_name("ID");
    command.add_option("--auth", asked.auth, "The auth type, where several take a client (default the first)");
    repeatable(command.add_option(
                   "--field", asked.fields,
                   "NAME=VALUE; the secret as client_secret=@FILE or client_secret=- (asked for, or standard input)"))
        ->type_name("FIELD");
    command
        .add_option("--secret-ends", asked.secret_ends,
                    "When its secret ends (RFC 3339): the broker warns before; \"\" for nobody knows")
        ->type_name("TIME");
    command.add_flag("--public", asked.is_public, "The client has no secret");
}

} // namespace

void offer_oauth_client(CLI::App& program, Invocation& invocation) {
    auto* client = program.add_subcommand("oauth-client", "Keep the organization's OAuth apps");
    client->fallthrough();
    client->require_subcommand(1);
    offer<New>(*client, invocation, "set", "Set the OAuth app of a service; prints the redirect URI to register",
               std::function(describe_set), set);
    const auto describe_one = [](CLI::App& command, One& asked) {
        command.add_option("service", asked.service, "Its service")->required();
    };
    offer<One>(*client, invocation, "show", "Show one, without its secret", describe_one, show);
    offer<All>(*client, invocation, "list", "List them", nullptr, list);
    const auto describe_delete = [](CLI::App& command, One& asked) {
        command.add_option("service", asked.service, "Its service")->required();
        command.add_flag("--yes", asked.yes, "Do not ask");
    };
    offer<One>(*client, invocation, "delete", "Delete one", describe_delete, remove);
}

} // namespace credlease::cli
