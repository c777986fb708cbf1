#include "client/secret_body.hpp"

#include "client/memory.hpp"
#include "client/refusal.hpp"
#include "wire/json_writer.hpp"
#include "wire/limits.hpp"

#include <functional>

namespace credlease::client {
namespace {

using FieldValue = Client::FieldValue;

void show(const FieldValue& field, const std::function<void(std::string_view)>& use) {
    if (const auto* text = std::get_if<std::string>(&field.value)) {
        use(*text);
    } else {
        std::get_if<SecretText>(&field.value)->expose(use);
    }
}

Result<void> check_json(const FieldValue& field) {
    Result<void> checked;
    show(field, [&](std::string_view text) {
        checked = with_json(text, [](const boost::json::value&) { return Result<void>(); });
    });
    if (checked) return {};
    return not_sent(field.name, "The value of \"" + field.name + "\" is not JSON.");
}

/// Lets `write` try in more and more room.
Result<secret::SecretBuffer> write_in_locked_memory(const std::function<void(wire::SecretJsonWriter&)>& write) {
    for (std::size_t size = 4096; size <= wire::limits::admin_body; size *= 2) {
        auto room = Memory::of_this_process().make(size, secret::Share::bodies);
        if (!room) return room.error();
        std::size_t written = 0;
        const bool fits = room->expose_to_write([&](std::span<std::byte> bytes) {
            wire::SecretJsonWriter writer(reinterpret_cast<char*>(bytes.data()), bytes.size());
            write(writer);
            written = writer.size();
            return !writer.overflowed();
        });
        if (!fits) continue;
        room->shrink(written);
        return std::move(*room);
    }
    return not_sent("fields", "The fields are too long together: at most 256 KiB.");
}

} // namespace

Result<secret::SecretBuffer> write_fields(std::string_view json_members, const std::vector<FieldValue>& fields) {
    for (const FieldValue& field : fields) {
        if (!field.is_json) continue;
        if (auto checked = check_json(field); !checked) return checked.error();
    }
    return write_in_locked_memory([&](wire::SecretJsonWriter& writer) {
        writer.raw("{");
        writer.raw(json_members);
        writer.raw(json_members.empty() ? "\"fields\":{" : ",\"fields\":{");
        for (const FieldValue& field : fields) {
            if (&field != &fields.front()) writer.raw(",");
            writer.quoted(field.name);
            writer.raw(":");
            show(field, [&](std::string_view text) { field.is_json ? writer.raw(text) : writer.quoted(text); });
        }
        writer.raw("}}");
    });
}

Result<secret::SecretBuffer> write_secret(std::string_view others, std::string_view member, const SecretText& secret) {
    const std::string_view members = others.substr(0, others.find_last_of('}'));
    return write_in_locked_memory([&](wire::SecretJsonWriter& writer) {
        writer.raw(members.size() < 2 ? "{" : members);
        if (members.size() > 1) writer.raw(",");
        writer.quoted(member);
        writer.raw(":");
        secret.expose([&](std::string_view text) { writer.quoted(text); });
        writer.raw("}");
    });
}

} // namespace credlease::client
