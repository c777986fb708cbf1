#pragma once

#include "broker/unsealed.hpp"

namespace credlease::broker {

/// Drops what the audit log need not keep (`[audit] keep`, `max_size`): a minute after the start, then every hour.
void schedule_pruning(Unsealed& house);

} // namespace credlease::broker
