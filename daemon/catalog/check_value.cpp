#include "catalog/check_value.hpp"

#include "catalog/url.hpp"
#include "wire/limits.hpp"

#include <algorithm>

namespace credlease::catalog {

using result::StaticText;
using Problem = std::optional<StaticText>;

namespace {

bool is_header_value(std::string_view text) {
    return std::ranges::none_of(
        text, [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; });
}

constexpr StaticText no_control_characters{"It goes into an HTTP header and so must not hold a control character "
                                           "(look for a line break at its end)."};
constexpr StaticText no_header_name{"A header's name is made of letters, digits and !#$%&'*+-.^_`|~ alone."};
constexpr StaticText too_long{"It is longer than 64 KiB."};

Problem problem_with_places(const Field& field, std::string_view text) {
    if (field.is_header_name && !is_header_name(text)) return no_header_name;
    if (field.in_header && !is_header_value(text)) return no_control_characters;
    if (field.before_colon && text.contains(':')) return StaticText{"It must not hold a colon (RFC 7617)."};
    return std::nullopt;
}

} // namespace

bool is_header_name(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("!#$%&'*+-.^_`|~").contains(c);
    });
}

Problem problem_with_text(const Field& field, std::string_view text) {
    static_assert(wire::limits::field_value == 64 * 1024, "the sentence says so");
    if (text.size() > wire::limits::field_value) return too_long;
    if (field.required && text.empty()) return StaticText{"It must not be empty."};
    if (field.type == vocabulary::FieldType::string && text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos) {
        return StaticText{"It must be one line (look for a line break at its end)."};
    }
    if (!field.choices.empty() && std::ranges::find(field.choices, text) == field.choices.end()) {
        return StaticText{"It is none of the values that the service allows."};
    }
    if (field.format == Format::url && !find_host(text)) {
        return StaticText{"It must be a URL such as https://api.example.com/v1: http or https, without a user, query "
                          "or fragment."};
    }
    if (field.format == Format::host && !is_host_name(text)) {
        return StaticText{
            "It must be a host's name or a part of one: letters, digits, hyphens, and dots between them."};
    }
    return problem_with_places(field, text);
}

Problem problem_with_number(const Field& field, std::int64_t number) {
    if (field.format == Format::port && (number < 1 || number > 65535)) {
        return StaticText{"It must be a port: 1 to 65535."};
    }
    return std::nullopt;
}

Problem problem_with_header(std::string_view name, std::string_view value) {
    if (!is_header_name(name)) return no_header_name;
    if (value.size() > wire::limits::field_value) return too_long;
    if (!is_header_value(value)) return no_control_characters;
    return std::nullopt;
}

} // namespace credlease::catalog
