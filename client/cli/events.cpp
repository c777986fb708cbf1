#include "cli/answers.hpp"
#include "cli/commands.hpp"
#include "cli/terminal.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <unistd.h>

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

/// "2026-11-25T10:00:00Z  lease.ended  lease_01j…  credential_deleted  cred_01j… version 3"
std::string text_line(const Event& event) {
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
    const std::string credential = printable(text_at(members, {"credential"}));
    if (!credential.empty()) add(credential + " version " + printable(text_at(members, {"version"})));
    return line + "\n";
}

Result<int> events(const Invocation& invocation, const Asked& asked) {
    Client client = invocation.client();
    // Operators and engines hear on admin.sock of credentials too; whoever is neither hears of its leases.
    auto door = Client::Door::admin;
    const auto who = get(client, Target("/v1/whoami").also_for_workers(), door);
    if (!who) return who.error();
    const auto shown = client.events(door, asked.last_event_id, [&](const Event& event) {
        return write_all(STDOUT_FILENO, invocation.json ? json_line(event) : text_line(event));
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
