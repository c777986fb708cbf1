#include "settings/values.hpp"

#include "settings/accounts.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace credlease::settings {
namespace {

using result::refuse;
using result::Result;

std::optional<std::uint32_t> find_number(std::string_view text) {
    std::uint32_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

/// An account by its number, or by the name that `find` knows. (uint32_t)-1 means "none" to the kernel.
Result<std::uint32_t> read_account(const Node& node, std::optional<std::uint32_t> (*find)(const std::string&),
                                   result::StaticText unknown) {
    constexpr std::int64_t most = 0xFFFFFFFE;
    if (const auto* number = std::get_if<std::int64_t>(&node.value)) {
        if (*number < 0 || *number > most) return wrong("This is not the number of an account.");
        return static_cast<std::uint32_t>(*number);
    }
    const auto* name = std::get_if<std::string>(&node.value);
    if (name == nullptr) return wrong("A name or a number is expected here.");
    const auto found = find_number(*name) ? find_number(*name) : find(*name);
    if (!found || *found > most) return wrong(unknown, "Create it first, or correct the name.");
    return *found;
}

} // namespace

result::Failure wrong(result::StaticText sentence, result::StaticText next_step) {
    return refuse({.code = result::ErrorCode::configuration, .sentence = sentence, .next_step = next_step});
}

Result<std::string> read_string(const Node& node) {
    const auto* text = std::get_if<std::string>(&node.value);
    if (text == nullptr) return wrong("A string is expected here.", "Write it in quotes.");
    return *text;
}

Result<bool> read_boolean(const Node& node) {
    const auto* truth = std::get_if<bool>(&node.value);
    if (truth == nullptr) return wrong("`true` or `false` is expected here.");
    return *truth;
}

Result<vocabulary::Duration> read_duration(const Node& node) {
    constexpr result::StaticText expected = "A duration is expected here, at most 10 years.";
    constexpr result::StaticText example = "Write it like \"90s\", \"15m\", \"1h\" or \"400d\".";
    const auto* text = std::get_if<std::string>(&node.value);
    if (text == nullptr) return wrong(expected, example);
    const auto duration = vocabulary::read_duration(*text);
    if (!duration) return wrong(expected, example);
    return *duration;
}

Result<std::uint64_t> read_size(const Node& node) {
    constexpr result::StaticText expected = "A size is expected here, at most 1024GiB.";
    constexpr result::StaticText example = "Write it like \"64KiB\", \"4MiB\" or \"1GiB\".";
    constexpr std::array<std::pair<std::string_view, unsigned>, 4> units = {
        {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"B", 0}}};
    const auto* text = std::get_if<std::string>(&node.value);
    if (text == nullptr) return wrong(expected, example);
    const auto unit = std::ranges::find_if(units, [&](const auto& each) { return text->ends_with(each.first); });
    if (unit == units.end()) return wrong(expected, example);
    const auto number = find_number(std::string_view(*text).substr(0, text->size() - unit->first.size()));
    constexpr std::uint64_t most = std::uint64_t{1024} << 30;
    if (!number || *number == 0 || *number > most >> unit->second) return wrong(expected, example);
    return std::uint64_t{*number} << unit->second;
}

Result<std::uint32_t> read_mode(const Node& node) {
    const auto* text = std::get_if<std::string>(&node.value);
    std::uint32_t mode = 0;
    if (text != nullptr && text->size() == 4 && text->front() == '0') {
        const char* const end = text->data() + text->size();
        if (std::from_chars(text->data(), end, mode, 8).ptr == end) return mode;
    }
    return wrong("Permissions are expected here, in octal.", "Write them like \"0660\".");
}

Result<std::filesystem::path> read_path_or_default(const Node& node) {
    auto text = read_string(node);
    if (!text) return refuse(std::move(text.error()));
    std::filesystem::path path(std::move(*text));
    if (!path.empty() && !path.is_absolute()) return wrong("A path must be absolute.", "Begin it with a slash.");
    return path.lexically_normal();
}

Result<std::filesystem::path> read_path(const Node& node) {
    auto path = read_path_or_default(node);
    if (path && path->empty()) return wrong("A path is expected here.", "Leave the key out for its default.");
    return path;
}

Result<std::uint32_t> read_uid(const Node& node) {
    return read_account(node, find_uid, "There is no user of this name here.");
}

Result<std::uint32_t> read_gid(const Node& node) {
    return read_account(node, find_gid, "There is no group of this name here.");
}

Result<std::string> read_unit_glob(const Node& node) {
    constexpr std::string_view allowed = "*?[]!^:-_.\\@0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    auto glob = read_string(node);
    if (!glob) return glob;
    if (glob->empty() || glob->size() > 255 || glob->find_first_not_of(allowed) != std::string::npos) {
        return wrong("A unit's name is expected here, with * ? [ ] as in the shell.",
                     "Write it like \"etl@*.service\".");
    }
    bool in_brackets = false;
    for (const char c : *glob) {
        if (c == (in_brackets ? ']' : '[')) in_brackets = !in_brackets;
    }
    if (in_brackets) return wrong("A bracket is not closed.", "Close it with ].");
    return glob;
}

Result<std::array<std::uint8_t, 32>> read_sha256(const Node& node) {
    constexpr result::StaticText expected = "64 hexadecimal digits are expected here.";
    const auto* text = std::get_if<std::string>(&node.value);
    std::array<std::uint8_t, 32> hash{};
    if (text == nullptr || text->size() != 2 * hash.size()) return wrong(expected, "Take them from sha256sum(1).");
    for (std::size_t i = 0; i < hash.size(); ++i) {
        const char* const digits = text->data() + 2 * i;
        if (std::from_chars(digits, digits + 2, hash[i], 16).ptr != digits + 2) {
            return wrong(expected, "Take them from sha256sum(1).");
        }
    }
    return hash;
}

} // namespace credlease::settings
