#pragma once

#include "result/result.hpp"

#include <string>
#include <string_view>

namespace credlease::wire {

/// The HTTP status of an error code (interface: "Errors").
[[nodiscard]] unsigned status_of(result::ErrorCode code);
/// "Not Found"
[[nodiscard]] std::string_view reason_phrase(unsigned status);

/// RFC 9457 application/problem+json: type, title, status, detail, code, request_id, and what the code adds (`field`,
/// `reason`, `candidates`, `references`, `current_etag`).
[[nodiscard]] std::string problem_json(const result::Error& error, std::string_view request_id);

/// Reads a problem answer back (for the client): `about` holds the problem's `detail`. A body that is none becomes
/// `internal` with the status.
[[nodiscard]] result::Error read_problem(unsigned status, std::string_view body);

} // namespace credlease::wire
