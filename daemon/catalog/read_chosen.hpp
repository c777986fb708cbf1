#pragma once

#include "catalog/oauth_fields.hpp"

#include <algorithm>

namespace credlease::catalog {

/// A word of Value; `otherwise` where it is none. nullopt when absent.
template <class Value>
std::optional<Value> read_word(const EntryNode& node, std::string_view member, result::StaticText otherwise) {
    if (!node.find(member)) return std::nullopt;
    const auto* text = node.find(member)->if_string();
    const auto found = text ? find_value<Value>(*text) : std::nullopt;
    if (!found) node.refuse(member, otherwise);
    return found;
}

/// A word of Value, or `{"field": F}`: then a public field has the word, its choices are words, and its default is the
/// value. `otherwise` where it is neither.
template <class Value>
Chosen<Value> read_chosen(const EntryNode& node, std::string_view member, const OAuthFields& fields,
                          result::StaticText otherwise) {
    const boost::json::value* value = node.find(member);
    if (!value || !value->is_object()) return {.value = read_word<Value>(node, member, otherwise).value_or(Value{})};
    const EntryNode choice(*value, node.path_of(member), fields.problem(), {.required = {"field"}, .optional = {}});
    Chosen<Value> made{.field = fields.find(choice, "field",
                                            {.otherwise = "It must be a public field of type string that a person "
                                                          "gives."})};
    if (!made.field) return made;
    const Field& field = fields[*made.field];
    const auto is_word = [](const std::string& word) { return find_value<Value>(word).has_value(); };
    const auto* word = field.default_value ? std::get_if<std::string>(&*field.default_value) : nullptr;
    if (field.choices.empty() || !std::ranges::all_of(field.choices, is_word) || !word) {
        choice.refuse("field", "Its choices must be words that this member may have, and one of them its default.");
    } else {
        made.value = find_value<Value>(*word).value_or(Value{});
    }
    return made;
}

/// Whether it is this value, or may come to be it.
template <class Value> bool may_be(const Chosen<Value>& chosen, Value value, const OAuthFields& fields) {
    if (!chosen.field) return chosen.value == value;
    return std::ranges::find(fields[*chosen.field].choices, name_of(value)) != fields[*chosen.field].choices.end();
}

} // namespace credlease::catalog
