#include "cli/lease_end.hpp"

namespace credlease::cli {

std::optional<Error> end_of(const Lease& lease) {
    if (!lease.is_over()) return std::nullopt;
    if (auto error = lease.last_error()) return error;
    return Error{.code = "lease_ended",
                 .sentence = "The lease has ended (limited by " + lease.limited_by() + ").",
                 .next_step = "Take a new one."};
}

} // namespace credlease::cli
