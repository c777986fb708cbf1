#pragma once

#include "result/error_code.hpp"
#include "result/public_text.hpp"
#include "result/static_text.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace credlease::result {

/// Why something was refused and what to do next. It never holds a secret: its sentences were written in the source,
/// and the rest is PublicText.
struct Error {
    ErrorCode code = ErrorCode::internal;
    StaticText sentence{"Something went wrong inside the broker."}; ///< what is the matter
    StaticText next_step{""};                                       ///< what to do about it; may be empty
    PublicText about{};                                             ///< which one ("acme prod slack", "line 12")
    PublicText field{};                                             ///< `invalid_request`: the member that is wrong
    StaticText reason{""};                                          ///< `lease_ended`: why it ended
    std::vector<PublicText> candidates{};                           ///< `name_ambiguous`, `credential_in_use`
    std::optional<std::uint64_t> current_revision{};                ///< `version_conflict`: the revision it has now
    std::optional<std::uint32_t> retry_after_seconds{};             ///< `rate_limited`, `overloaded`

    /// The problem's `detail`: "SENTENCE (ABOUT). NEXT STEP", on one line.
    [[nodiscard]] std::string detail() const;
};

/// A bad member of a request: `field` names it.
[[nodiscard]] Error invalid(std::string_view field, StaticText sentence);

} // namespace credlease::result
