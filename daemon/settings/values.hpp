#pragma once

#include "settings/node.hpp"
#include "vocabulary/names.hpp"
#include "vocabulary/time.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace credlease::settings {

/// `configuration`; what it is about is filled in by whoever knows the key.
[[nodiscard]] result::Failure wrong(result::StaticText sentence, result::StaticText next_step = "");

// What the config file's values can be. Each refuses with the sentence that says what is expected.

[[nodiscard]] result::Result<std::string> read_string(const Node& node);
[[nodiscard]] result::Result<bool> read_boolean(const Node& node);
/// "15m", "400d".
[[nodiscard]] result::Result<vocabulary::Duration> read_duration(const Node& node);
/// "4MiB": a whole number and B, KiB, MiB or GiB; at most 1024 GiB.
[[nodiscard]] result::Result<std::uint64_t> read_size(const Node& node);
/// "0660": permissions in octal.
[[nodiscard]] result::Result<std::uint32_t> read_mode(const Node& node);
/// An absolute path.
[[nodiscard]] result::Result<std::filesystem::path> read_path(const Node& node);
/// The same, or "" for the default.
[[nodiscard]] result::Result<std::filesystem::path> read_path_or_default(const Node& node);
/// A user's or a group's name or number.
[[nodiscard]] result::Result<std::uint32_t> read_uid(const Node& node);
[[nodiscard]] result::Result<std::uint32_t> read_gid(const Node& node);
/// A glob over unit names.
[[nodiscard]] result::Result<std::string> read_unit_glob(const Node& node);
/// 64 hexadecimal digits.
[[nodiscard]] result::Result<std::array<std::uint8_t, 32>> read_sha256(const Node& node);

/// A whole number within limits.
template <std::uint32_t Least, std::uint32_t Most = 1'000'000>
[[nodiscard]] result::Result<std::uint32_t> read_count(const Node& node) {
    const auto* number = std::get_if<std::int64_t>(&node.value);
    if (number == nullptr) return wrong("A whole number is expected here.");
    if (*number < Least) return wrong("This number is too small.");
    if (*number > Most) return wrong("This number is too large.");
    return static_cast<std::uint32_t>(*number);
}

/// The values that a key can have, by name.
template <class Value, std::size_t N> using Choices = std::array<std::pair<std::string_view, Value>, N>;

/// One of `choices`; `names` tells them to whoever wrote something else.
template <class Value, std::size_t N>
[[nodiscard]] auto one_of(const Choices<Value, N>& choices, result::StaticText names) {
    return [choices, names](const Node& node) -> result::Result<Value> {
        const auto* text = std::get_if<std::string>(&node.value);
        for (const auto& [name, value] : choices) {
            if (text != nullptr && *text == name) return value;
        }
        return wrong("This is none of the choices.", names);
    };
}

/// A string by its own rules: `Value::read(text)`.
template <class Value> [[nodiscard]] result::Result<Value> read_by_rule(const Node& node) {
    const auto text = read_string(node);
    if (!text) return result::refuse(text.error());
    auto value = Value::read(*text);
    if (!value) return wrong(value.error().sentence, value.error().next_step);
    return std::move(*value);
}

/// An id with its prefix: `Value::find(text)`.
template <class Value> [[nodiscard]] result::Result<Value> read_id(const Node& node) {
    const auto text = read_string(node);
    if (!text) return result::refuse(text.error());
    const auto value = Value::find(*text);
    if (!value)
        return wrong("An id with its prefix and 26 characters is expected here.", "Take it from `credlease list`.");
    return *value;
}

/// A list of what `read` reads.
template <class Read> [[nodiscard]] auto list_of(Read read) {
    return [read](const Node& node) -> result::Result<std::vector<typename decltype(read(node))::value_type>> {
        const auto* list = std::get_if<Node::List>(&node.value);
        if (list == nullptr) return wrong("A list is expected here.", "Write it in brackets: [\"…\", \"…\"].");
        std::vector<typename decltype(read(node))::value_type> made;
        for (const auto& element : *list) {
            auto value = read(element);
            if (!value) return result::refuse(std::move(value.error()));
            made.push_back(std::move(*value));
        }
        return made;
    };
}

} // namespace credlease::settings
