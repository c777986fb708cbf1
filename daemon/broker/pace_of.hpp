#pragma once

#include "broker/refresh_schedule.hpp"
#include "broker/unsealed.hpp"

namespace credlease::broker {

/// Whose pace a credential's token requests keep: that of its OAuth client at the host of its token URL.
[[nodiscard]] RefreshSchedule::Client pace_of(const Unsealed& house, const vault::Entry& entry);

} // namespace credlease::broker
