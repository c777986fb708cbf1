#pragma once

#include "broker/asker.hpp"
#include "mac/mac.hpp"
#include "result/result.hpp"
#include "vocabulary/time.hpp"

#include <string>
#include <string_view>

namespace credlease::broker {

/// Where a list goes on: opaque, authenticated, bound to the caller and to the list's filters, good for an hour.
/// base64url of (time, position, MAC).
[[nodiscard]] std::string make_cursor(const mac::CursorMac& mac, const Asker& asker, std::string_view filters,
                                      std::string_view position, vocabulary::Time now);
/// The position; `invalid_request` (field `cursor`) when it is not ours, another's, of another list, or older than an
/// hour.
[[nodiscard]] result::Result<std::string> read_cursor(const mac::CursorMac& mac, const Asker& asker,
                                                      std::string_view filters, std::string_view cursor,
                                                      vocabulary::Time now);

} // namespace credlease::broker
