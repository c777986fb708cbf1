#include "vocabulary/names.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

namespace credlease::vocabulary {
namespace {

using result::invalid;
using result::Result;

constexpr std::size_t most_bytes = 4096; ///< of an unnormalized name; more is not looked at

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

/// FIRST REST{0,63}
template <class First, class Rest> bool is_id(std::string_view text, First first, Rest rest) {
    return !text.empty() && text.size() <= 64 && first(text[0]) && std::ranges::all_of(text.substr(1), rest);
}

const utf8proc_uint8_t* bytes_of(std::string_view text) {
    return reinterpret_cast<const utf8proc_uint8_t*>(text.data());
}

/// `text` is clean UTF-8.
std::string mapped(std::string_view text, int options) {
    utf8proc_uint8_t* made = nullptr;
    const auto size = utf8proc_map(bytes_of(text), static_cast<utf8proc_ssize_t>(text.size()), &made,
                                   static_cast<utf8proc_option_t>(options));
    const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owned(made, &std::free);
    if (size < 0) std::abort(); // not UTF-8, or out of memory: a broken daemon
    return {reinterpret_cast<const char*>(made), static_cast<std::size_t>(size)};
}

std::string normalized(std::string_view text) { return mapped(text, UTF8PROC_STABLE | UTF8PROC_COMPOSE); }

/// Calls `use` with each code point until it says false; false then, or where the text is not UTF-8.
template <class Use> bool all_code_points(std::string_view text, Use use) {
    while (!text.empty()) {
        utf8proc_int32_t point = 0;
        const auto size = utf8proc_iterate(bytes_of(text), static_cast<utf8proc_ssize_t>(text.size()), &point);
        if (size <= 0 || !use(point)) return false;
        text.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
}

/// Control and format characters, line and paragraph separators: what has no width or turns the text around it would
/// let one name be shown as another. But for the two joiners: Persian and emoji are not written without them.
bool is_unseen(utf8proc_int32_t point) {
    constexpr utf8proc_int32_t non_joiner = 0x200c, joiner = 0x200d;
    if (point == non_joiner || point == joiner) return false;
    const auto category = utf8proc_category(point);
    return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_ZL ||
           category == UTF8PROC_CATEGORY_ZP;
}

std::size_t count_characters(std::string_view text) {
    const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
    return static_cast<std::size_t>(std::ranges::count_if(text, begins));
}

} // namespace

bool is_plain_id(std::string_view text) {
    const auto first = [](char c) { return is_digit(c) || is_lower(c) || is_upper(c); };
    return is_id(text, first, [&](char c) { return first(c) || c == '.' || c == '_' || c == '@' || c == '-'; });
}

bool is_clean_utf8(std::string_view text) {
    return all_code_points(text, [](utf8proc_int32_t point) { return point != 0; });
}

bool is_line(std::string_view text) {
    return !text.empty() && all_code_points(text, [](utf8proc_int32_t point) { return !is_unseen(point); });
}

bool is_label(std::string_view text) {
    if (text.empty() || text.size() > label_bytes_most) return false;
    const auto is_plain = [](char c) { return c >= ' ' && c <= '~'; };
    return std::ranges::all_of(text, is_plain) || is_line(text); // the same, without the tables
}

Result<std::string> PlainIdRule::check(std::string_view text) {
    if (is_plain_id(text)) return std::string(text);
    return refuse(
        invalid("", "An id has 1 to 64 letters, digits or any of . _ @ - and begins with a letter or digit."));
}

Result<std::string> CredentialNameRule::check(std::string_view text) {
    constexpr std::array<std::string_view, 4> reserved = {"cred_", "personal:", "workspace:", "organization:"};
    auto name = text.size() <= most_bytes && is_clean_utf8(text) ? normalized(text) : std::string{};
    if (!is_line(name) || count_characters(name) > name_characters_most) {
        return refuse(invalid("", "A name has 1 to 128 characters, none of them a control or format character."));
    }
    const auto lower = folded(name);
    if (std::ranges::any_of(reserved, [&](std::string_view prefix) { return lower.starts_with(prefix); }))
        return refuse(invalid("", "A name may not begin with cred_, personal:, workspace: or organization:."));
    return name;
}

Result<std::string> ServiceIdRule::check(std::string_view text) {
    const auto first = [](char c) { return is_digit(c) || is_lower(c); };
    if (is_id(text, first, [&](char c) { return first(c) || c == '-'; })) return std::string(text);
    return refuse(invalid("", "A service id has 1 to 64 lower-case letters, digits or - and does not begin with -."));
}

Result<std::string> FieldNameRule::check(std::string_view text) {
    const auto rest = [](char c) { return is_lower(c) || is_digit(c) || c == '_'; };
    if (is_id(text, is_lower, rest)) return std::string(text);
    return refuse(invalid("", "A field name has 1 to 64 lower-case letters, digits or _ and begins with a letter."));
}

Result<std::string> LabelRule::check(std::string_view text) {
    if (is_label(text)) return std::string(text);
    return refuse(
        invalid("", "A workflow, run or node has 1 to 128 bytes, none of them of a control or format character."));
}

std::string folded(std::string_view text) {
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    if (!std::ranges::all_of(text, is_ascii)) {
        return mapped(text, UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD);
    }
    std::string lower(text); // the same, without the tables
    std::ranges::transform(lower, lower.begin(), [](char c) { return is_upper(c) ? static_cast<char>(c + 32) : c; });
    return lower;
}

std::string folded(const CredentialName& name) { return folded(std::string_view(name.text())); }

std::string UserId::text() const { return "user:" + directory.text() + "/" + name.text(); }

Result<UserId> UserId::read(std::string_view text) {
    constexpr std::string_view prefix = "user:";
    const auto slash = text.find('/');
    if (text.starts_with(prefix) && slash != text.npos) {
        auto directory = EngineId::read(text.substr(prefix.size(), slash - prefix.size()));
        auto name = Name<PlainIdRule>::read(text.substr(slash + 1));
        if (directory && name) return UserId{std::move(*directory), std::move(*name)};
    }
    return refuse(invalid("", "A user looks like user:DIRECTORY/NAME, for example user:flows/alice."));
}

} // namespace credlease::vocabulary
