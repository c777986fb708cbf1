#pragma once

#include <string>
#include <string_view>

namespace credlease::result {

/// Text that may be shown to anyone who gets the error: names, ids, file names, line numbers.
/// Made by name only, so that each place that shows something can be found; control characters become '?'.
class PublicText {
  public:
    PublicText() = default;

    /// `shown` is not a secret; at most 512 bytes of it are kept.
    [[nodiscard]] static PublicText of(std::string_view shown);

    [[nodiscard]] const std::string& text() const { return text_; }
    [[nodiscard]] bool empty() const { return text_.empty(); }
    bool operator==(const PublicText&) const = default;

  private:
    std::string text_;
};

} // namespace credlease::result
