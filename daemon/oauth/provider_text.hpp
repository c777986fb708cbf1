#pragma once

#include "oauth/parameters.hpp"
#include "result/public_text.hpp"

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace credlease::oauth {

inline constexpr std::size_t longest_code = 64;  ///< of a provider's error code
inline constexpr std::size_t longest_text = 256; ///< of its explanation

/// A provider's words as they may be shown and kept: at most `most` printable ASCII characters, with every run of 8
/// bytes or more of a secret of the exchange blanked, also where it was percent-encoded (guarantee 3). `views` are
/// secrets that lie in the arena as JSON.
[[nodiscard]] result::PublicText clean(std::string_view words, std::size_t most, const Secrets& secrets,
                                       std::span<const std::string_view> views = {});

/// Which runs of `size` bytes secrets have, as marks under a hash with a key of its own: a provider that chooses both
/// what is looked for and where would make a plain search take minutes. A few are there by chance.
class Runs {
  public:
    Runs(std::size_t size, const Secrets& secrets, std::span<const std::string_view> views);
    [[nodiscard]] bool hold(std::string_view text) const; ///< of `size` bytes

  private:
    [[nodiscard]] std::array<std::size_t, 3> places_of(std::string_view text) const;

    std::size_t size_;
    std::array<unsigned char, 16> key_{};
    std::vector<bool> marks_;
};

/// Looks for secrets in values that a provider gave as public: 16 bytes of one, or all of a shorter one. (Salesforce
/// tokens begin with the 15 characters of an organization's id, which is public.) Also where they were
/// percent-encoded. The secrets outlive it.
class Repeats {
  public:
    Repeats(const Secrets& secrets, std::span<const std::string_view> views);
    [[nodiscard]] bool are_in(std::string_view value) const;

  private:
    [[nodiscard]] bool hold(std::string_view text) const;
    [[nodiscard]] bool hold_a_run_of(std::string_view text) const;

    const Secrets& secrets_;
    std::span<const std::string_view> views_;
    mutable std::optional<Runs> runs_{}; ///< made when they are looked for: most answers' public values are too short
};

} // namespace credlease::oauth
