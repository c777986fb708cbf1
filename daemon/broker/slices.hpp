#pragma once

#include "broker/asker.hpp"
#include "broker/unsealed.hpp"

namespace credlease::broker {

/// To be awaited between two slices of long work on the loop: one slice of a uid's work in a turn, whatever it has
/// asked for, so that it delays nobody else's requests. Who asks is found anew: `sealed`, or as Callers::find.
[[nodiscard]] runtime::Task<result::Result<>> wait_for_slice(Unsealed& house, Asker& asker);

} // namespace credlease::broker
