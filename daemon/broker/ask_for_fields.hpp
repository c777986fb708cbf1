#pragma once

#include "broker/get_tokens.hpp"

namespace credlease::broker {

/// What the service says of a grant in answers of their own (`answer_fields` with a `url`), asked with the access token
/// that is stored, as far as it is not known. It goes to the entry's hosts alone. Without an answer nothing changes:
/// the fields are asked for again behind the next refresh.
[[nodiscard]] runtime::Task<> ask_for_fields(Unsealed& house, Refreshed what);

} // namespace credlease::broker
