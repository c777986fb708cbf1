#include "cli/answers.hpp"
#include "cli/commands.hpp"
#include "cli/terminal.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <map>
#include <unistd.h>
#include <utility>

namespace credlease::cli {
namespace {

struct Asked {
    std::string last_event_id;
};

json::value members_of(const Event& event) {
    boost::system::error_code failed;
    auto value = json::parse(event.json, failed);
    return failed ? json::value(json::object()) : value;
}

/// {"event": "lease.ended", "id": "812.1", "lease": …}: one object a line.
std::string json_line(const Event& event) {
    json::object line{{"event", event.type}, {"id", event.id}};
    const auto members = members_of(event);
    if (const auto* object = members.if_object()) {
        for (const auto& [name, value] : *object) line.insert_or_assign(name, value);
    }
    return json::serialize(line) + "\n";
}

Color color_of(const Event& event) {
    if (event.type == "lease.ended" || event.type == "credential.deleted" || event.type == "grant.ended")
        return Color::bad;
    if (event.type == "lease.expiring" || event.type == "credential.ending" || event.type == "broker.sealing" ||
        event.type == "reset")
        return Color::warning;
    return Color::good;
}

/// What credentials are called, for people: asked once each, and again where one was changed.
class Names {
  public:
    explicit Names(Client client) : client_(std::move(client)) {}

    /// Empty: nobody can tell, as of one that was deleted before it was heard of.
    const std::string& find(const std::string& id, const std::string& event) {
        const bool is_known = names_.contains(id);
        if (event == "credential.deleted" || (is_known && event != "credential.updated")) return names_[id];
        const auto found = get(client_, Target("/v1/credentials").segment(id));
        if (found) names_[id] = text_at(*found, {"name"});
        return names_[id];
    }

  private:
    Client client_;
    std::map<std::string, std::string> names_;
};

/// "OpenAI prod (cred_01j…) version 3"
std::string describe_credential(const Event& event, const json::value& members, Names* names) {
    const std::string id = text_at(members, {"credential"});
    if (id.empty()) return {};
    const std::string name = names == nullptr ? "" : names->find(id, event.type);
    return (name.empty() ? id : name + " (" + id + ")") + " version " + text_at(members, {"version"});
}

/// "2026-11-25T10:00:00Z  lease.ended  lease_01j…  credential_deleted  OpenAI prod (cred_01j…) version 3"
std::string text_line(const Event& event, Names* names) {
    const auto members = members_of(event);
    std::string line = time_at(members, {"at"});
    const auto add = [&](const std::string& text) {
        if (!text.empty()) line += (line.empty() ? "" : "  ") + text;
    };
    add(in(color_of(event), printable(event.type)));
    if (event.type == "reset") add("events were missed: look at what you hold anew");
    add(printable(text_at(members, {"lease"})));
    for (const auto* name : {"reason", "status", "clock"}) add(printable(text_at(members, {name})));
    if (const auto end = time_at(members, {"expires_at"}); !end.empty()) add("ends " + printable(end));
    add(printable(text_at(members, {"grant"})));
    add(printable(describe_credential(event, members, names)));
    return line + "\n";
}

Result<int> events(const Invocation& invocation, const Asked& asked) {
    Client client = invocation.client();
    // Operators and engines hear on admin.sock of credentials too; whoever is neither hears of its leases.
    auto door = Client::Door::admin;
    const auto who = get(client, Target("/v1/whoami").also_for_workers(), door);
    if (!who) return who.error();
    Names names(invocation.client()); // on a connection of its own
    auto* const known = door == Client::Door::admin ? &names : nullptr;
    const auto shown = client.events(door, asked.last_event_id, [&](const Event& event) {
        return write_all(STDOUT_FILENO, invocation.json ? json_line(event) : text_line(event, known));
    });
    if (!shown) return shown.error();
    return exit_done;
}

} // namespace

void offer_events(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command.footer(
            "Runs until it is interrupted; a broker that restarts is waited for, and what it did meanwhile is\n"
            "shown. With --json each line is one object. An event's id is where to begin behind.");
        command.add_option("--after", asked.last_event_id, "From behind this event, of the last 15 minutes")
            ->type_name("ID");
    };
    offer<Asked>(program, invocation, "events", "Show what happens to leases and credentials, as it happens", describe,
                 events);
}

} // namespace credlease::cli
