#pragma once

#include "broker/asker.hpp"
#include "broker/unsealed.hpp"

namespace credlease::broker {

/// Does it take a look into the log to say what became of this lease? (The book forgets the earliest of many ends.)
[[nodiscard]] bool must_look_up(const Unsealed& house, std::string_view lease);

/// What became of a lease that is not live, by the log: `lease_ended` with the reason, for 24 hours and to whom it
/// belonged or an operator; else `lease_not_found`. One look at a time for one caller.
[[nodiscard]] runtime::Task<result::Error> look_up_ended(Unsealed& house, Asker asker, std::string lease);

/// The two answers, in the words of every route.
[[nodiscard]] result::Error lease_ended(vocabulary::EndReason reason);
[[nodiscard]] result::Error lease_not_found();

} // namespace credlease::broker
