#include "broker/event.hpp"

#include "wire/json_writer.hpp"

#include <charconv>

namespace credlease::broker {
namespace {

template <class Id> void write_id(wire::JsonWriter& writer, std::string_view name, const Id& id) {
    if (id != Id()) writer.member(name, id.text());
}

std::string data_of(const Event& event) {
    std::string data;
    wire::JsonWriter writer(data);
    writer.object();
    write_id(writer, "lease", event.lease);
    write_id(writer, "credential", event.credential);
    if (event.credential != vocabulary::CredentialId()) {
        writer.member("version", event.version).member("generation", event.generation);
    }
    write_id(writer, "grant", event.grant);
    if (event.reason) writer.member("reason", vocabulary::text_of(*event.reason).view());
    if (event.status) writer.member("status", vocabulary::name_of(*event.status));
    if (event.clock) writer.member("clock", oauth::name_of(*event.clock));
    if (event.expires_at) writer.member("expires_at", *event.expires_at);
    writer.member("at", event.at).close();
    return data;
}

} // namespace

std::string_view name_of(EventKind kind) {
    switch (kind) {
    case EventKind::lease_expiring:
        return "lease.expiring";
    case EventKind::lease_ended:
        return "lease.ended";
    case EventKind::credential_rotated:
        return "credential.rotated";
    case EventKind::credential_refreshed:
        return "credential.refreshed";
    case EventKind::credential_created:
        return "credential.created";
    case EventKind::credential_updated:
        return "credential.updated";
    case EventKind::credential_deleted:
        return "credential.deleted";
    case EventKind::credential_status_changed:
        return "credential.status_changed";
    case EventKind::credential_ending:
        return "credential.ending";
    case EventKind::grant_ended:
        return "grant.ended";
    case EventKind::broker_sealing:
        return "broker.sealing";
    }
    return "";
}

std::string EventId::text() const { return std::to_string(seq) + '.' + std::to_string(count); }

std::optional<EventId> EventId::find(std::string_view text) {
    EventId id;
    const char* const end = text.data() + text.size();
    const auto seq = std::from_chars(text.data(), end, id.seq);
    if (seq.ec != std::errc() || seq.ptr == end || *seq.ptr != '.') return std::nullopt;
    const auto count = std::from_chars(seq.ptr + 1, end, id.count);
    if (count.ec != std::errc() || count.ptr != end) return std::nullopt;
    return id;
}

const std::shared_ptr<const std::string>& Event::text() const {
    if (!made_text) {
        std::string text = "event: ";
        text.append(name_of(kind)).append("\nid: ").append(id.text()).append("\ndata: ").append(data_of(*this));
        made_text = std::make_shared<const std::string>(text.append("\n\n"));
    }
    return made_text;
}

std::shared_ptr<const std::string> reset_text(const EventId& id) {
    return std::make_shared<const std::string>("event: reset\nid: " + id.text() + "\ndata: {}\n\n");
}

std::shared_ptr<const std::string> greeting_text(const EventId& id) {
    return std::make_shared<const std::string>(": listening\nid: " + id.text() + "\n\n");
}

} // namespace credlease::broker
