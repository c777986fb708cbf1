#pragma once

#include "broker/unsealed.hpp"
#include "wire/json_writer.hpp"

namespace credlease::broker {

/// The member `oauth` of a connected credential: whose grant it is, and every clock of it.
void write_oauth(wire::JsonWriter& writer, const Unsealed& house, const vault::Entry& entry);
/// The member `authorization` of one whose last consent is waited for, or failed, as far as the broker remembers.
void write_authorization(wire::JsonWriter& writer, const Unsealed& house, const vault::Entry& entry);
/// The member `oauth` of the broker's status: how many clocks run out, and what refreshes cost, by service.
void write_oauth_status(wire::JsonWriter& writer, const Unsealed& house);

} // namespace credlease::broker
