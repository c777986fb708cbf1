#pragma once

#include "broker/get_tokens.hpp"

namespace credlease::broker {

/// A refresh could not even be asked for, by what the credential, its OAuth client or the catalog are now: the grant is
/// `failing` and says why, with a record and an event, until one is made. Once for each reason, however often it is
/// tried. In the credential's turn.
[[nodiscard]] runtime::Task<> note_unasked(Unsealed& house, const Refreshed& what, const result::Error& why);

} // namespace credlease::broker
