#pragma once

#include "credlease/client.hpp"

#include <string>
#include <vector>

namespace credlease::cli {

/// ` Did you mean "list"?`: the name that was probably meant; empty where none is near.
[[nodiscard]] std::string did_you_mean(const std::string& word, const std::vector<std::string>& names);

/// Whether a word may be repeated: what looks like no name may be a secret in the wrong place.
[[nodiscard]] bool is_like_a_name(const std::string& word);

/// `usage` where what was given is none of them; empty: nothing was. `what`: "status".
[[nodiscard]] Result<void> check_choice(const std::string& what, const std::string& given,
                                        const std::vector<std::string>& choices);

} // namespace credlease::cli
