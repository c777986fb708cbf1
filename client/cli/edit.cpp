#include "cli/commands.hpp"
#include "cli/credential_reference.hpp"
#include "cli/durations.hpp"
#include "cli/field_input.hpp"
#include "cli/terminal.hpp"

#include <optional>
#include <unistd.h>

namespace credlease::cli {
namespace {

struct Asked {
    std::string credential;
    std::string name;
    std::optional<std::string> notes;
    std::string scope;
    std::optional<std::string> expires_at;
    std::optional<std::string> rotate_every;
    std::optional<std::string> client_secret_ends;
    std::vector<std::string> fields;
};

/// An empty text clears.
void set_or_clear(json::object& members, const char* member, const std::optional<std::string>& text) {
    if (!text) return;
    if (text->empty()) {
        members[member] = nullptr;
    } else {
        members[member] = *text;
    }
}

Result<void> check_times(const Asked& asked) {
    if (auto checked = check_time("--expires-at", asked.expires_at.value_or("")); !checked) return checked;
    if (auto every = read_duration("--rotate-every", asked.rotate_every.value_or("")); !every) return every.error();
    return check_time("--client-secret-ends", asked.client_secret_ends.value_or(""));
}

Result<json::object> read_members(const Asked& asked) {
    if (auto checked = check_times(asked); !checked) return checked.error();
    json::object members;
    if (!asked.name.empty()) members["name"] = asked.name;
    if (asked.notes) members["notes"] = *asked.notes;
    if (!asked.scope.empty()) {
        auto scope = read_scope(asked.scope);
        if (!scope) return scope.error();
        members["scope"] = std::move(*scope);
    }
    set_or_clear(members, "expires_at", asked.expires_at);
    set_or_clear(members, "rotate_every", asked.rotate_every);
    set_or_clear(members, "client_secret_ends_at", asked.client_secret_ends);
    return members;
}

/// The broker takes a secret that leases hold with a destination that it goes to, and else only as a rotation, which is
/// not there yet.
Result<void> check_secrets(const ServiceAuth& auth, const std::vector<Client::FieldValue>& fields) {
    bool has_secret = false;
    bool has_destination = false;
    for (const auto& field : fields) {
        const ServiceField* described = auth.find(field.name);
        has_secret = has_secret || (described->secret && described->leased);
        has_destination = has_destination || described->destination;
    }
    if (!has_secret || has_destination) return {};
    return usage(
        "A secret that is leased is changed only together with a destination that it goes to. Nothing was sent.",
        "To replace a secret today, add a new credential and delete the old one.");
}

Result<Answer> send(Client& client, const FoundCredential& found, const json::object& members,
                    std::vector<Client::FieldValue> fields) {
    Client::Request request{
        .method = "PATCH", .path = Target("/v1/credentials").segment(found.id).text(), .if_match = found.etag};
    if (!fields.empty()) return client.send_fields(request, members_of(members), std::move(fields));
    request.json = "{" + members_of(members) + "}";
    return client.send(request);
}

/// Tokens never go to another destination: an OAuth credential that is moved has none until it is connected anew.
std::string how_it_is_connected(const json::value& before, const json::value& after) {
    if (text_at(after, {"status"}) != "pending") return "";
    const bool was_pending = text_at(before, {"status"}) == "pending";
    return std::string("It is pending ") + (was_pending ? "still" : "now") +
           ": connect it with credlease reauthorize " + text_at(after, {"id"}) + ".\n";
}

Result<int> edit(const Invocation& invocation, const Asked& asked) {
    const auto members = read_members(asked);
    if (!members) return members.error();
    if (members->empty() && asked.fields.empty()) return usage("Say what is to change.", "See: credlease edit --help");
    Client client = invocation.client();
    const auto found = find_credential(invocation, client, asked.credential);
    if (!found) return found.error();
    std::vector<Client::FieldValue> fields;
    if (!asked.fields.empty()) {
        const auto auth = fetch_auth(client, text_at(found->entry, {"service"}), text_at(found->entry, {"auth"}));
        if (!auth) return auth.error();
        auto read = read_fields(*auth, asked.fields);
        if (!read) return read.error();
        if (auto checked = check_secrets(*auth, *read); !checked) return checked.error();
        fields = std::move(*read);
    }
    const auto answer = send(client, *found, *members, std::move(fields));
    if (!answer) return answer.error();
    const auto changed = read_json(*answer);
    if (!changed) return changed.error();
    if (invocation.json) {
        print_json(*changed);
    } else {
        write_all(STDOUT_FILENO, "Changed " + printable(text_at(*changed, {"name"})) + " (revision " +
                                     text_at(*changed, {"revision"}) + ").\n" +
                                     how_it_is_connected(found->entry, *changed));
    }
    return exit_done;
}

} // namespace

void offer_edit(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command.footer(
            "A secret that is leased is given only together with a destination that it goes to, and then every\n"
            "secret field is (see: credlease services S).\n"
            "To replace one today, add a new credential and delete the old one.\n"
            "What only the broker uses (client_secret, private_key) is changed in place, "
            "and the next refresh uses it.");
        command.add_option("credential", asked.credential, "Its id or name")->required();
        command.add_option("--name", asked.name, "Its new name");
        command.add_option("--notes", asked.notes, "Its new notes");
        command.add_option("--scope", asked.scope, "personal, workspace:W or organization");
        repeatable(command.add_option("--field", asked.fields,
                                      "NAME=VALUE; a secret as NAME=@FILE or NAME=- (asked for, or standard input)"))
            ->type_name("FIELD");
        command.add_option("--expires-at", asked.expires_at, "When it ends (RFC 3339); \"\" for never")
            ->type_name("TIME");
        command.add_option("--rotate-every", asked.rotate_every, "How often it is to be changed; \"\" for never")
            ->type_name("DURATION");
        command
            .add_option("--client-secret-ends", asked.client_secret_ends,
                        "When the secret of its own OAuth client ends (RFC 3339); \"\" for nobody knows")
            ->type_name("TIME");
    };
    offer<Asked>(program, invocation, "edit", "Change a credential in place", describe, edit);
}

} // namespace credlease::cli
