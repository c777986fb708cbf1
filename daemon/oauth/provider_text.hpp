#pragma once

#include "oauth/parameters.hpp"
#include "result/public_text.hpp"

#include <span>
#include <string_view>

namespace credlease::oauth {

inline constexpr std::size_t longest_code = 64;  ///< of a provider's error code
inline constexpr std::size_t longest_text = 256; ///< of its explanation

/// A provider's words as they may be shown and kept: at most `most` printable ASCII characters, with every run of 8
/// bytes or more of a secret of the exchange blanked, also where it was percent-encoded (guarantee 3). `views` are
/// secrets that lie in the arena as JSON.
[[nodiscard]] result::PublicText clean(std::string_view words, std::size_t most, const Secrets& secrets,
                                       std::span<const std::string_view> views = {});

/// Whether a value that a provider gave as public repeats a secret: 16 bytes of one, or all of a shorter one.
/// (Salesforce tokens begin with the 15 characters of an organization's id, which is public.)
[[nodiscard]] bool repeats_a_secret(std::string_view value, const Secrets& secrets,
                                    std::span<const std::string_view> views);

} // namespace credlease::oauth
