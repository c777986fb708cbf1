#include "catalog/catalog.hpp"
#include "catalog/entry_node.hpp"
#include "catalog/read_field.hpp"
#include "catalog/read_http.hpp"
#include "catalog/read_oauth.hpp"
#include "wire/json_reader.hpp"
#include "wire/limits.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace credlease::catalog {
namespace {

namespace json = boost::json;

constexpr std::size_t auth_types_most = 8;
constexpr std::size_t sources_most = 32; // and sentences of what is unconfirmed

bool is_link(std::string_view text) {
    return text.starts_with("https://") && text.size() > 8 && text.size() <= 1024 &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

/// YYYY-MM-DD
bool is_day(std::string_view text) {
    const auto number = [&](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
    for (const std::size_t at : {0u, 1u, 2u, 3u, 5u, 6u, 8u, 9u}) {
        if (!is_digit(text[at])) return false;
    }
    return number(5) >= 1 && number(5) <= 12 && number(8) >= 1 && number(8) <= 31;
}

/// FNV-1a, which is the same in every build: it is kept in the audit log.
std::uint32_t order_behind(std::uint32_t before, std::string_view name) {
    std::uint32_t hash = before == 0 ? 2'166'136'261U : before;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619U;
    return (hash ^ '\n') * 16'777'619U;
}

void read_fields(const EntryNode& node, AuthType& auth) {
    const json::array& items = node.list("fields", 1, wire::limits::fields);
    for (std::size_t i = 0; i < items.size(); ++i) {
        const std::string path = node.path_of("fields", i);
        Field field = read_field(items[i], path, node.problem());
        if (auth.find_field(field.name)) node.problem().note(path + ".name", "Two fields have this name.");
        field.order = order_behind(auth.fields.empty() ? 0 : auth.fields.back().order, field.name);
        auth.fields.push_back(std::move(field));
    }
}

std::vector<std::string> read_group(const json::value& value, const std::string& path, const AuthType& auth,
                                    EntryProblem& problem) {
    std::vector<std::string> group;
    const json::array* names = value.if_array();
    if (!names || names->size() < 2) {
        problem.note(path, "It must be a list of two fields or more.");
        return group;
    }
    for (const json::value& name : *names) {
        const auto* text = name.if_string();
        const auto field = text ? auth.find_field(*text) : std::nullopt;
        if (!field || auth.fields[*field].source != Source::person ||
            std::ranges::find(group, std::string_view(*text)) != group.end()) {
            problem.note(path, "It must name different fields of its auth type that a person gives.");
            return group;
        }
        group.emplace_back(*text);
    }
    return group;
}

AuthType read_auth(const json::value& value, const std::string& path, EntryProblem& problem) {
    const EntryNode node(value, path, problem,
                         {.required = {"name", "label", "fields"}, .optional = {"together", "http", "oauth"}});
    AuthType auth;
    auth.name = node.identifier("name");
    auth.label = node.line("label");
    read_fields(node, auth);
    const json::array& groups = node.list("together", 0, wire::limits::fields);
    for (std::size_t i = 0; i < groups.size(); ++i) {
        auth.together.push_back(read_group(groups[i], node.path_of("together", i), auth, problem));
    }
    if (const json::value* oauth = node.find("oauth")) {
        auth.oauth = read_oauth(*oauth, node.path_of("oauth"), auth.fields, problem);
    } else if (std::ranges::any_of(auth.fields, [](const Field& field) { return field.source != Source::person; })) {
        node.refuse("fields", "Without oauth no service fills a field: every field is a person's.");
    }
    if (const json::value* http = node.find("http")) {
        auth.http = read_http(*http, node.path_of("http"), auth.fields, problem);
    }
    return auth;
}

std::vector<std::string> read_sources(const EntryNode& node) {
    std::vector<std::string> made;
    const json::array& items = node.list("sources", 0, sources_most);
    for (std::size_t i = 0; i < items.size(); ++i) {
        const auto* text = items[i].if_string();
        if (text && is_link(*text)) {
            made.emplace_back(*text);
        } else {
            node.problem().note(node.path_of("sources", i), "It must be an https URL.");
        }
    }
    return made;
}

void read_head(const EntryNode& node, std::string_view file_name, Service& service) {
    const std::string id = node.line("id");
    if (auto read = vocabulary::ServiceId::read(id)) {
        service.id = std::move(*read);
        if (file_name != id + ".json") node.refuse("id", "It must be the file's name without .json.");
    } else {
        node.refuse("id", "It must be lower-case letters, digits and hyphens, 64 at most.");
    }
    service.name = node.line("name");
    if (const json::value* docs = node.find("docs")) {
        if (!docs->is_string() || !is_link(docs->get_string())) {
            node.refuse("docs", "It must be an https URL.");
        } else {
            service.docs = docs->get_string();
        }
    }
    service.verified_on = node.line("verified_on");
    if (node.find("verified_on") && !is_day(service.verified_on)) {
        node.refuse("verified_on", "It must be a day, YYYY-MM-DD.");
    }
    service.sources = read_sources(node);
    service.unconfirmed = node.lines("unconfirmed", sources_most);
    const json::value* schema = node.find("$schema");
    if (schema && !schema->is_string()) node.refuse("$schema", "It must be a text.");
}

/// On one line, without what is for editors alone.
std::string shown_text(const json::value& entry) {
    json::object shown = entry.get_object();
    shown.erase("$schema");
    return json::serialize(shown);
}

} // namespace

result::Result<Service> read_service(std::string_view text, std::string_view file_name) {
    EntryProblem problem(file_name);
    auto entry = wire::read_json(text, {});
    if (!entry) {
        problem.note("", "It is not JSON, or a member is there twice.");
        return result::refuse(*problem.error());
    }
    const EntryNode node(
        *entry, "", problem,
        {.required = {"id", "name", "auth"}, .optional = {"$schema", "docs", "verified_on", "sources", "unconfirmed"}});
    Service service;
    read_head(node, file_name, service);
    const json::array& auth_types = node.list("auth", 1, auth_types_most);
    for (std::size_t i = 0; i < auth_types.size(); ++i) {
        const std::string path = node.path_of("auth", i);
        AuthType auth = read_auth(auth_types[i], path, problem);
        if (service.find_auth(auth.name)) problem.note(path + ".name", "Two auth types have this name.");
        service.auth_types.push_back(std::move(auth));
    }
    if (problem.error()) return result::refuse(*problem.error());
    service.json = shown_text(*entry);
    return service;
}

} // namespace credlease::catalog
