#include "catalog/oauth_fields.hpp"

#include "catalog/check_value.hpp"
#include "catalog/read_template.hpp"

#include <algorithm>

namespace credlease::catalog {
namespace {

constexpr std::size_t parameters_most = 32;

bool is_parameter_name(std::string_view text) {
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
               c == '.';
    });
}

std::string folded(std::string_view text) {
    std::string made(text);
    for (char& c : made) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    return made;
}

/// What the request has by itself (RFC 9110).
bool is_header_taken(std::string_view name) {
    static constexpr std::string_view taken[] = {"authorization", "connection",        "content-length", "content-type",
                                                 "host",          "transfer-encoding", "user-agent"};
    return std::ranges::find(taken, folded(name)) != std::end(taken);
}

} // namespace

std::optional<std::size_t> OAuthFields::find(const EntryNode& node, std::string_view member, const Kind& kind) const {
    if (!node.find(member)) return std::nullopt;
    const std::string name = node.identifier(member);
    const auto found = std::ranges::find(fields_, name, &Field::name);
    if (found == fields_.end()) {
        node.refuse(member, "Its auth type has no field of this name.");
        return std::nullopt;
    }
    if (found->type != kind.type || found->secret != kind.secret || found->source != kind.source) {
        node.refuse(member, kind.otherwise);
    }
    return static_cast<std::size_t>(found - fields_.begin());
}

std::optional<Template> OAuthFields::placed(const EntryNode& node, std::string_view member) const {
    const boost::json::value* value = node.find(member);
    if (!value) return std::nullopt;
    Template made = read_template(*value, node.path_of(member), fields_, problem_);
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        if ((made.needs >> i & 1) == 0) continue;
        if (fields_[i].secret || fields_[i].source != Source::person) {
            node.refuse(member, "A template of oauth holds public fields alone, and such as a person gives.");
        }
    }
    return made;
}

std::vector<Parameter> OAuthFields::parameters(const EntryNode& node, std::string_view member, Names taken) const {
    std::vector<Parameter> made;
    const boost::json::array& items = node.list(member, 0, parameters_most);
    for (std::size_t i = 0; i < items.size(); ++i) {
        const EntryNode item(items[i], node.path_of(member, i), problem_,
                             {.required = {"name", "value"}, .optional = {}});
        Parameter parameter{.name = item.line("name"), .value = {}};
        if (!is_parameter_name(parameter.name)) {
            item.refuse("name", "It must be 1 to 64 letters, digits, underscores, hyphens or dots.");
        } else if (std::ranges::find(taken, parameter.name) != taken.end()) {
            item.refuse("name", "The broker sets this one itself.");
        } else if (std::ranges::find(made, parameter.name, &Parameter::name) != made.end()) {
            item.refuse("name", "It is there twice.");
        }
        if (auto value = placed(item, "value")) parameter.value = std::move(*value);
        made.push_back(std::move(parameter));
    }
    return made;
}

std::vector<Parameter> OAuthFields::headers(const EntryNode& node, std::string_view member) {
    std::vector<Parameter> made;
    const boost::json::array& items = node.list(member, 0, parameters_most);
    for (std::size_t i = 0; i < items.size(); ++i) {
        const EntryNode item(items[i], node.path_of(member, i), problem_,
                             {.required = {"name", "value"}, .optional = {}});
        Parameter header{.name = item.line("name"), .value = {}};
        const auto is_same = [&](const Parameter& other) { return folded(other.name) == folded(header.name); };
        if (!is_header_name(header.name)) {
            item.refuse("name", "A header's name is a token (RFC 9110).");
        } else if (is_header_taken(header.name)) {
            item.refuse("name", "The broker sets this one itself.");
        } else if (std::ranges::any_of(made, is_same)) {
            item.refuse("name", "It is there twice.");
        }
        if (auto value = placed(item, "value")) header.value = std::move(*value);
        mark_header(header.value);
        made.push_back(std::move(header));
    }
    return made;
}

void OAuthFields::mark_header(const Template& value) {
    for (const Template::Part& part : value.parts) {
        if (part.encoder != Encoder::none) continue;
        for (const std::size_t field : part.fields) fields_[field].in_header = true;
    }
}

} // namespace credlease::catalog
