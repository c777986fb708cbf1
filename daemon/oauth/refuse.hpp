#pragma once

#include "oauth/answer.hpp"
#include "oauth/answer_body.hpp"

namespace credlease::oauth {

/// Whether an answer says no: by its status, by a false `ok_at`, or by an error text whatever its status.
[[nodiscard]] bool is_refusal(const catalog::OAuth& rules, const outbound::Answer& answer, const AnswerBody& body);

/// Why, by the entry's rules. `body` is nullptr where it can't be read; `tokens` are those that the answer holds.
[[nodiscard]] Refusal make_refusal(const catalog::OAuth& rules, const Secrets& secrets, const outbound::Answer& answer,
                                   const AnswerBody* body, std::span<const std::string_view> tokens = {});

} // namespace credlease::oauth
