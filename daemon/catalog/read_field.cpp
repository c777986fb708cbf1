#include "catalog/read_field.hpp"

#include "catalog/check_value.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <array>

namespace credlease::catalog {
namespace {

namespace json = boost::json;
using result::StaticText;
using vocabulary::FieldType;
using vocabulary::PublicValue;

FieldType read_type(const EntryNode& node) {
    static constexpr std::array types{FieldType::string,  FieldType::text, FieldType::integer,
                                      FieldType::boolean, FieldType::list, FieldType::map};
    const std::string name = node.line("type");
    const auto found = std::ranges::find(types, std::string_view(name), [](FieldType type) { return name_of(type); });
    if (found != types.end()) return *found;
    node.refuse("type", "It must be string, text, integer, boolean, list or map.");
    return FieldType::string;
}

Format read_format(const EntryNode& node, FieldType type) {
    if (!node.find("format")) return Format::any;
    const std::string name = node.line("format");
    if (name == "url" && type == FieldType::string) return Format::url;
    if (name == "host" && type == FieldType::string) return Format::host;
    if (name == "port" && type == FieldType::integer) return Format::port;
    node.refuse("format", "It must be url or host (of a string) or port (of an integer).");
    return Format::any;
}

std::vector<std::string> read_choices(const EntryNode& node) {
    std::vector<std::string> choices;
    if (!node.find("choices")) return choices;
    const json::array& items = node.list("choices", 1, wire::limits::map_entries);
    for (std::size_t i = 0; i < items.size(); ++i) {
        const auto* text = items[i].if_string();
        if (!text || text->empty() || has_control_characters(*text) || characters_of(*text) > 256) {
            node.problem().note(node.path_of("choices", i), "It must be a text of 1 to 256 characters on one line.");
        } else if (std::ranges::find(choices, std::string_view(*text)) != choices.end()) {
            node.problem().note(node.path_of("choices", i), "The choice is there twice.");
        } else {
            choices.emplace_back(*text);
        }
    }
    return choices;
}

std::optional<std::vector<std::string>> list_of(const json::value& value) {
    const json::array* items = value.if_array();
    if (!items || items->size() > wire::limits::map_entries) return std::nullopt;
    std::vector<std::string> made;
    for (const json::value& item : *items) {
        if (!item.is_string()) return std::nullopt;
        made.emplace_back(item.get_string());
    }
    return made;
}

std::optional<std::map<std::string, std::string>> map_of(const json::value& value) {
    const json::object* members = value.if_object();
    if (!members || members->size() > wire::limits::map_entries) return std::nullopt;
    std::map<std::string, std::string> made;
    for (const auto& [key, item] : *members) {
        if (!item.is_string()) return std::nullopt;
        made.emplace(std::string(key), std::string(item.get_string()));
    }
    return made;
}

std::optional<PublicValue> value_of(FieldType type, const json::value& value) {
    switch (type) {
    case FieldType::string:
    case FieldType::text:
        if (value.is_string()) return PublicValue(std::string(value.get_string()));
        break;
    case FieldType::integer:
        if (value.is_int64()) return PublicValue(value.get_int64());
        break;
    case FieldType::boolean:
        if (value.is_bool()) return PublicValue(value.get_bool());
        break;
    case FieldType::list:
        if (auto list = list_of(value)) return PublicValue(std::move(*list));
        break;
    case FieldType::map:
        if (auto map = map_of(value)) return PublicValue(std::move(*map));
        break;
    }
    return std::nullopt;
}

std::optional<StaticText> problem_with_default(const Field& field) {
    if (const auto* text = std::get_if<std::string>(&*field.default_value)) return problem_with_text(field, *text);
    if (const auto* number = std::get_if<std::int64_t>(&*field.default_value)) {
        return problem_with_number(field, *number);
    }
    return std::nullopt;
}

void read_default(const EntryNode& node, Field& field) {
    const json::value* given = node.find("default");
    if (!given) return;
    field.default_value = value_of(field.type, *given);
    if (!field.default_value) {
        node.refuse("default", "It must be a value of the field's type.");
    } else if (field.secret) {
        node.refuse("default", "A secret field has no default.");
    } else if (field.required) {
        node.refuse("default", "A required field has no default: it must be given.");
    } else if (const auto problem = problem_with_default(field)) {
        node.refuse("default", *problem);
    }
}

Source read_source(const EntryNode& node) {
    if (!node.find("source")) return Source::person;
    const std::string name = node.line("source");
    if (name == "tokens") return Source::tokens;
    if (name == "answer") return Source::answer;
    if (name != "person") node.refuse("source", "It must be person, tokens or answer.");
    return Source::person;
}

/// What a field that no person gives cannot be.
void check_source(const EntryNode& node, const Field& field) {
    if (field.source == Source::person) return;
    if (field.type != FieldType::string) node.refuse("type", "A field that the service fills is of type string.");
    if (field.source == Source::tokens && !field.secret) node.refuse("secret", "A field of tokens is secret.");
    if (field.source == Source::answer && field.secret) node.refuse("secret", "A field of answers is public.");
    for (const std::string_view member : {"required", "destination"}) {
        if (node.flag(member)) node.refuse(member, "Only a field that a person gives is this.");
    }
    if (node.find("default")) node.refuse("default", "Only a field that a person gives has a default.");
}

} // namespace

Field read_field(const json::value& value, const std::string& path, EntryProblem& problem) {
    const EntryNode node(value, path, problem,
                         {.required = {"name", "type", "label"},
                          .optional = {"format", "help", "secret", "required", "destination", "default", "choices",
                                       "source", "leased"}});
    Field field;
    field.name = node.identifier("name");
    field.type = read_type(node);
    field.format = read_format(node, field.type);
    field.label = node.line("label");
    field.help = node.line("help");
    field.secret = node.flag("secret");
    field.required = node.flag("required");
    field.destination = node.flag("destination");
    field.choices = read_choices(node);
    if (!field.choices.empty() && (field.secret || field.type != FieldType::string)) {
        node.refuse("choices", "Only a public field of type string has choices.");
    }
    read_default(node, field);
    field.source = read_source(node);
    field.leased = !node.find("leased") || node.flag("leased");
    check_source(node, field);
    return field;
}

} // namespace credlease::catalog
