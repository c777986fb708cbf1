#pragma once

#include "credlease/client.hpp"

#include <optional>

namespace credlease::cli {

/// Why a lease is over: what the broker said last, else what its time was limited by. None while it lives.
[[nodiscard]] std::optional<Error> end_of(const Lease& lease);

} // namespace credlease::cli
