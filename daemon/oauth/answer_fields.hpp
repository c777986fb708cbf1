#pragma once

#include "oauth/answer.hpp"
#include "oauth/answer_body.hpp"
#include "oauth/provider_text.hpp"

namespace credlease::oauth {

/// Whether a provider's text may be kept and shown as a public value: short, and a line.
[[nodiscard]] bool is_public_value(std::string_view text);
/// What lies there, as text; empty: nothing, or nothing that may be shown (guarantee 3).
[[nodiscard]] std::string public_value(const AnswerBody& body, const catalog::Pointer& at, const Repeats& secrets);

/// Where the entry's fields that are not known yet are asked for: each URL once.
[[nodiscard]] std::vector<std::string> field_urls(const catalog::OAuth& rules, const Values& values);
/// The fields that lie in the answer to a GET of that URL; what is no good answer holds none. `overloaded` where the
/// arena has no room.
[[nodiscard]] result::Result<std::vector<FieldText>> read_fields(const catalog::OAuth& rules, const Values& values,
                                                                 std::string_view url, const Secrets& secrets,
                                                                 const outbound::Answer& answer, secret::Arena& arena);

} // namespace credlease::oauth
