#include "settings/node.hpp"

#include <toml++/toml.h>

#include <algorithm>

namespace credlease::settings {
namespace {

Node node_of(const toml::node& read);

Node::Table table_of(const toml::table& read) {
    Node::Table table;
    for (const auto& [key, value] : read) table.push_back({.key = std::string(key.str()), .value = node_of(value)});
    // toml++ sorts by key; what is wrong is told in the file's order.
    std::ranges::stable_sort(table, {}, [](const Entry& entry) { return entry.value.line; });
    return table;
}

Node::List list_of(const toml::array& read) {
    Node::List list;
    for (const auto& value : read) list.push_back(node_of(value));
    return list;
}

Node node_of(const toml::node& read) {
    Node made;
    made.line = read.source().begin.line;
    if (const auto* text = read.as_string()) made.value = text->get();
    if (const auto* number = read.as_integer()) made.value = number->get();
    if (const auto* truth = read.as_boolean()) made.value = truth->get();
    if (const auto* list = read.as_array()) made.value = list_of(*list);
    if (const auto* table = read.as_table()) made.value = table_of(*table);
    return made;
}

} // namespace

result::Result<Node> read_toml(std::string_view text, const std::string& file) {
    try {
        return node_of(toml::parse(text));
    } catch (const toml::parse_error& failure) {
        const auto where = file + ":" + std::to_string(failure.source().begin.line) + ": ";
        return result::refuse({.code = result::ErrorCode::configuration,
                               .sentence = "The config file is not valid TOML.",
                               .next_step = "Correct that line.",
                               .about = result::PublicText::of(where + std::string(failure.description()))});
    }
}

} // namespace credlease::settings
