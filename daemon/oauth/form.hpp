#pragma once

#include "secret/secret_buffer.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace credlease::oauth {

/// The parameters of a form or a query, decoded one after another into one buffer in the arena: an item's views are
/// good until the next. A wrong escape, or an arena that is full, breaks it. For this room's own .cpp files.
class FormReader {
  public:
    FormReader(std::string_view text, secret::Arena& arena);

    struct Item {
        std::string_view name;
        std::string_view value;
    };
    [[nodiscard]] std::optional<Item> next();
    [[nodiscard]] bool is_broken() const { return broken_; }

  private:
    [[nodiscard]] std::optional<std::string_view> decode(std::string_view encoded, std::span<char> out);

    std::string_view text_;
    secret::SecretBuffer decoded_;
    bool broken_ = false;
};

/// -1 for what is none.
[[nodiscard]] int hex_digit(char c);

/// Parted by white space or commas: what is empty is left out. Views of `text`.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text);

} // namespace credlease::oauth
