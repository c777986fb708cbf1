#pragma once

#include "result/static_text.hpp"

#include <array>
#include <cstdlib>
#include <optional>
#include <string_view>

namespace credlease::vocabulary {

/// The names of an enumeration's values, read in both directions. For this room's own .cpp files.
template <class Value> struct Word {
    Value value;
    result::StaticText text;
};
template <class Value, std::size_t N> using Words = std::array<Word<Value>, N>;

template <class Value, std::size_t N>
[[nodiscard]] result::StaticText word_of(const Words<Value, N>& words, Value value) {
    for (const auto& word : words) {
        if (word.value == value) return word.text;
    }
    std::abort(); // no value of the enumeration: a broken daemon
}

template <class Value, std::size_t N>
[[nodiscard]] std::optional<Value> find_word(const Words<Value, N>& words, std::string_view text) {
    for (const auto& word : words) {
        if (word.text.view() == text) return word.value;
    }
    return std::nullopt;
}

} // namespace credlease::vocabulary
