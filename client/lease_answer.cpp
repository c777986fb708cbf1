#include "client/lease_answer.hpp"

#include "client/memory.hpp"
#include "client/refusal.hpp"
#include "vocabulary/time.hpp"

namespace credlease::client {
namespace {

namespace json = boost::json;

Error missing(std::string_view member) {
    return unexpected("The broker's answer is no lease: \"" + std::string(member) + "\" is missing.");
}

Result<WallTime> read_time_at(const json::value& answer, std::string_view member) {
    const auto time = vocabulary::read_time(text_at(answer, {member}));
    if (!time) return missing(member);
    return WallTime(*time);
}

const json::object* object_at(const json::value& answer, std::initializer_list<std::string_view> path) {
    const auto* found = find_at(answer, path);
    return found == nullptr ? nullptr : found->if_object();
}

Result<std::map<std::string, std::string>> read_fields(const json::value& answer) {
    std::map<std::string, std::string> fields;
    const auto* object = object_at(answer, {"fields"});
    if (object == nullptr) return fields;
    for (const auto& [name, value] : *object) {
        std::string& text = fields[name];
        if (auto shown = show_value(value, [&](std::string_view shown_text) { text = shown_text; }); !shown) {
            return shown.error();
        }
    }
    return fields;
}

} // namespace

const json::value* find_at(const json::value& value, std::initializer_list<std::string_view> path) {
    const json::value* at = &value;
    for (const std::string_view name : path) {
        const auto* object = at->if_object();
        at = object == nullptr ? nullptr : object->if_contains(name);
        if (at == nullptr) return nullptr;
    }
    return at;
}

std::string text_at(const json::value& value, std::initializer_list<std::string_view> path) {
    const auto* found = find_at(value, path);
    const auto* text = found == nullptr ? nullptr : found->if_string();
    return text == nullptr ? std::string() : std::string(text->begin(), text->end());
}

std::uint64_t read_number(const json::value& value, std::initializer_list<std::string_view> path) {
    const auto* found = find_at(value, path);
    return found != nullptr && found->is_int64() ? static_cast<std::uint64_t>(found->get_int64()) : 0;
}

bool has_secret(const json::value& answer) { return object_at(answer, {"secret"}) != nullptr; }

std::string read_lease_id(const json::value& answer) { return text_at(answer, {"lease"}); }

Result<LeaseTimes> read_lease_times(const json::value& answer) {
    const auto expires_at = read_time_at(answer, "expires_at");
    if (!expires_at) return expires_at.error();
    const auto renewable_until = read_time_at(answer, "renewable_until");
    if (!renewable_until) return renewable_until.error();
    return LeaseTimes{
        .expires_at = *expires_at, .renewable_until = *renewable_until, .limited_by = text_at(answer, {"limited_by"})};
}

Result<LeaseFacts> read_lease_facts(const json::value& answer) {
    LeaseFacts facts{.id = read_lease_id(answer),
                     .credential = text_at(answer, {"credential", "id"}),
                     .service = text_at(answer, {"credential", "service"}),
                     .base_url = text_at(answer, {"http", "base_url"})};
    if (facts.id.empty()) return missing("lease");
    if (facts.credential.empty()) return missing("credential");
    facts.version = static_cast<std::uint32_t>(read_number(answer, {"credential", "version"}));
    facts.generation = read_number(answer, {"credential", "generation"});
    const auto* may_blip = find_at(answer, {"may_blip"});
    facts.may_blip = may_blip != nullptr && may_blip->is_bool() && may_blip->get_bool();
    auto fields = read_fields(answer);
    if (!fields) return fields.error();
    facts.fields = std::move(*fields);
    if (const auto* secrets = object_at(answer, {"secret"})) {
        for (const auto& [name, value] : *secrets) facts.secret_fields.emplace_back(name);
    }
    const auto* hosts = find_at(answer, {"http", "allowed_hosts"});
    if (hosts != nullptr && hosts->is_array()) {
        for (const auto& host : hosts->get_array()) {
            if (const auto* text = host.if_string()) facts.allowed_hosts.emplace_back(text->begin(), text->end());
        }
    }
    return facts;
}

} // namespace credlease::client
