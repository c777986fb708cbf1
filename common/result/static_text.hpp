#pragma once

#include <string_view>

namespace credlease::result {

/// A sentence that was written in the source: it cannot carry a secret, since nothing known only at run time becomes
/// one.
class StaticText {
  public:
    template <std::size_t N>
    consteval StaticText(const char (&text)[N]) : text_(text, N - 1) {} // NOLINT(google-explicit-constructor)

    [[nodiscard]] constexpr std::string_view view() const { return text_; }
    constexpr bool operator==(const StaticText&) const = default;

  private:
    std::string_view text_;
};

} // namespace credlease::result
