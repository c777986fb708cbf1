#include "catalog/entry_node.hpp"

#include "vocabulary/names.hpp"

#include <algorithm>

namespace credlease::catalog {
namespace {

constexpr std::size_t line_most = 256; // characters

std::string line_of(const boost::json::value& value, const std::string& path, EntryProblem& problem) {
    const auto* text = value.if_string();
    if (text && !text->empty() && characters_of(*text) <= line_most && !has_control_characters(*text)) {
        return std::string(*text);
    }
    problem.note(path, "It must be a text of 1 to 256 characters on one line.");
    return {};
}

} // namespace

void EntryProblem::note(std::string_view member, result::StaticText sentence) {
    if (error_) return;
    const std::string about = member.empty() ? file_ : file_ + ": " + std::string(member);
    error_ = result::Error{.code = result::ErrorCode::configuration,
                           .sentence = sentence,
                           .next_step = "Correct the catalog entry (service.schema.json tells what it may hold).",
                           .about = result::PublicText::of(about)};
}

EntryNode::EntryNode(const boost::json::value& value, std::string path, EntryProblem& problem, const Members& members)
    : object_(value.if_object()), path_(std::move(path)), problem_(problem) {
    if (!object_) {
        problem_.note(path_, "It must be an object.");
        return;
    }
    const auto is_in = [](const auto& names, std::string_view name) {
        return std::ranges::find(names, name) != names.end();
    };
    for (const auto& member : *object_) {
        const std::string_view name(member.key().data(), member.key().size());
        if (!is_in(members.required, name) && !is_in(members.optional, name)) refuse(name, "No such member exists.");
    }
    for (const std::string_view name : members.required) {
        if (!find(name)) refuse(name, "The member is missing.");
    }
}

const boost::json::value* EntryNode::find(std::string_view member) const {
    return object_ ? object_->if_contains({member.data(), member.size()}) : nullptr;
}

std::string EntryNode::line(std::string_view member) const {
    const boost::json::value* value = find(member);
    return value ? line_of(*value, path_of(member), problem_) : std::string();
}

std::vector<std::string> EntryNode::lines(std::string_view member, std::size_t most) const {
    std::vector<std::string> made;
    const boost::json::array& items = list(member, 0, most);
    for (std::size_t i = 0; i < items.size(); ++i) {
        made.push_back(line_of(items[i], path_of(member, i), problem_));
    }
    return made;
}

std::string EntryNode::identifier(std::string_view member) const {
    std::string text = line(member);
    if (!text.empty() && !vocabulary::FieldName::read(text)) {
        refuse(member, "It must be a lower-case letter, then letters, digits or underscores, 64 at most.");
    }
    return text;
}

bool EntryNode::flag(std::string_view member) const {
    const boost::json::value* value = find(member);
    if (value && !value->is_bool()) refuse(member, "It must be true or false.");
    return value && value->is_bool() && value->get_bool();
}

std::optional<vocabulary::Duration> EntryNode::duration(std::string_view member) const {
    const boost::json::value* value = find(member);
    if (!value) return std::nullopt;
    if (const auto* text = value->if_string()) {
        if (const auto read = vocabulary::read_duration(*text)) return *read;
    }
    refuse(member, "It must be a duration such as 90s, 15m, 1h or 60d, of 10 years at most.");
    return std::nullopt;
}

std::optional<std::uint32_t> EntryNode::number(std::string_view member, std::uint32_t least, std::uint32_t most) const {
    const boost::json::value* value = find(member);
    if (!value) return std::nullopt;
    const auto* number = value->if_int64();
    if (number && *number >= least && *number <= most) return static_cast<std::uint32_t>(*number);
    refuse(member, "It must be a whole number, and neither too small nor too large.");
    return std::nullopt;
}

const boost::json::array& EntryNode::list(std::string_view member, std::size_t least, std::size_t most) const {
    static const boost::json::array none;
    const boost::json::value* value = find(member);
    if (!value) return none;
    const boost::json::array* items = value->if_array();
    if (!items) {
        refuse(member, "It must be a list.");
        return none;
    }
    if (items->size() < least) refuse(member, "The list has too few items.");
    if (items->size() > most) refuse(member, "The list has too many items.");
    return items->size() > most ? none : *items;
}

std::string EntryNode::path_of(std::string_view member) const {
    return path_.empty() ? std::string(member) : path_ + "." + std::string(member);
}

std::string EntryNode::path_of(std::string_view member, std::size_t index) const {
    return path_of(member) + "[" + std::to_string(index) + "]";
}

void EntryNode::refuse(std::string_view member, result::StaticText sentence) const {
    problem_.note(path_of(member), sentence);
}

std::size_t characters_of(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

bool has_control_characters(std::string_view text) {
    return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

} // namespace credlease::catalog
