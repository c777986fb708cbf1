#include "cli/field_forms.hpp"

#include <algorithm>

namespace credlease::cli {
namespace {

/// Walks over JSON whose values are strings, without taking any of it.
class Walk {
  public:
    explicit Walk(std::string_view text) : text_(text) {}

    /// `["a", "b"]`
    bool passes_list() {
        return passes('[') && (passes(']') || passes_items(']', [&] { return passes_string(); })) && is_at_end();
    }
    /// `{"a": "b"}`
    bool passes_map() {
        const auto passes_member = [&] { return passes_string() && passes(':') && passes_string(); };
        return passes('{') && (passes('}') || passes_items('}', passes_member)) && is_at_end();
    }

  private:
    void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
    bool is_at_end() {
        skip_space();
        return at_ == text_.size();
    }
    bool passes(char wanted) {
        if (is_at_end() || text_[at_] != wanted) return false;
        ++at_;
        return true;
    }
    bool passes_items(char end, auto&& passes_item) {
        do {
            if (!passes_item()) return false;
        } while (passes(','));
        return passes(end);
    }
    bool passes_string() {
        if (!passes('"')) return false;
        while (at_ < text_.size()) {
            const char c = text_[at_++];
            if (c == '"') return true;
            if (c == '\\') ++at_;
        }
        return false;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

bool is_whole_number(std::string_view text) {
    if (text.starts_with('-')) text.remove_prefix(1);
    const bool has_leading_zero = text.size() > 1 && text.front() == '0'; // no number in JSON
    return !text.empty() && !has_leading_zero && text.find_first_not_of("0123456789") == std::string_view::npos;
}

} // namespace

std::string form_of(const ServiceField& field) {
    if (field.type == "integer") return "a whole number, such as 5432";
    if (field.type == "boolean") return "true or false";
    if (field.type == "list") return "a list, such as a, b, c (from a file as JSON: [\"a\", \"b\"])";
    if (field.type == "map") return "a JSON object, such as {\"X-Api-Key\": \"…\"}";
    std::string choices;
    for (const auto& choice : field.choices) choices += (choices.empty() ? "one of " : ", ") + choice;
    return choices;
}

bool has_form(const ServiceField& field, std::string_view text) {
    if (field.type == "integer") return is_whole_number(text);
    if (field.type == "boolean") return text == "true" || text == "false";
    if (field.type == "list") return Walk(text).passes_list();
    if (field.type == "map") return Walk(text).passes_map();
    return field.choices.empty() || std::ranges::find(field.choices, text) != field.choices.end();
}

} // namespace credlease::cli
