#pragma once

#include <boost/asio/ip/address.hpp>

namespace credlease::outbound {

/// An address of the world: not one of this host or its networks, and none that the registries of special-purpose
/// addresses (RFC 6890) keep for something else. One that carries an IPv4 address inside (v4-mapped, 6to4, NAT64) is
/// what that one is.
[[nodiscard]] bool is_public(const boost::asio::ip::address& address);

} // namespace credlease::outbound
