#pragma once

#include "result/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace credlease::outbound {

/// Where a request goes.
struct Url {
    bool is_tls = true;
    std::string host; ///< lower case; an IPv6 address without its brackets
    std::uint16_t port = 443;
    std::string authority; ///< host and port as the Host header has them (RFC 9110 §7.2)
    std::string target;    ///< path and query
};

/// "https://login.example.org:443": whom a connection leads to.
[[nodiscard]] std::string origin_of(const Url& url);

/// Reads an absolute http or https URL of printable ASCII, without user, password or fragment.
[[nodiscard]] result::Result<Url> read_url(std::string_view text);

} // namespace credlease::outbound
