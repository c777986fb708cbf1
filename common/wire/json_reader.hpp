#pragma once

#include "result/result.hpp"
#include "secret/arena_resource.hpp"

#include <boost/json/value.hpp>

#include <string_view>

namespace credlease::wire {

/// One JSON text (RFC 8259), strictly: no trailing bytes, no duplicate keys, valid UTF-8 without U+0000, at most
/// limits::json_depth deep. The values lie in `memory` (the arena for whatever may hold a secret).
/// `invalid_request`; `payload_too_large` when `memory` gives no more.
[[nodiscard]] result::Result<boost::json::value> read_json(std::string_view text, boost::json::storage_ptr memory);

} // namespace credlease::wire
