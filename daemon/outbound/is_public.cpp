#include "outbound/is_public.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace credlease::outbound {
namespace {

using boost::asio::ip::address;
using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

struct Block4 {
    std::uint32_t first;
    unsigned bits;
};
constexpr std::array special4 = {
    Block4{0x00000000, 8},  // "this network"
    Block4{0x0a000000, 8},  // private
    Block4{0x64400000, 10}, // shared with a carrier's NAT (RFC 6598)
    Block4{0x7f000000, 8},  // loopback
    Block4{0xa9fe0000, 16}, // link-local, cloud metadata among it
    Block4{0xac100000, 12}, // private
    Block4{0xc0000000, 24}, // IETF protocol assignments
    Block4{0xc0000200, 24}, // documentation
    Block4{0xc0586300, 24}, // 6to4 relays (RFC 7526)
    Block4{0xc0a80000, 16}, // private
    Block4{0xc6120000, 15}, // benchmarking
    Block4{0xc6336400, 24}, // documentation
    Block4{0xcb007100, 24}, // documentation
    Block4{0xe0000000, 4},  // multicast
    Block4{0xf0000000, 4},  // reserved, broadcast
};

bool is_public4(std::uint32_t at) {
    return std::ranges::none_of(special4, [&](Block4 block) { return (at ^ block.first) >> (32 - block.bits) == 0; });
}

using Bytes6 = address_v6::bytes_type;

std::uint32_t four_at(const Bytes6& bytes, std::size_t at) {
    return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 | std::uint32_t{bytes[at + 2]} << 8 |
           std::uint32_t{bytes[at + 3]};
}

bool begins_with(const Bytes6& bytes, std::initializer_list<unsigned char> prefix) {
    return std::ranges::equal(prefix, std::span(bytes).first(prefix.size()));
}

bool is_public6(const Bytes6& bytes) {
    if (begins_with(bytes, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff})) return is_public4(four_at(bytes, 12));
    if (begins_with(bytes, {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) return is_public4(four_at(bytes, 12));
    if (begins_with(bytes, {0x20, 0x02})) return is_public4(four_at(bytes, 2));
    // Global unicast is 2000::/3; loopback, unique-local, link-local, multicast and the rest lie outside it.
    if (bytes[0] >> 5 != 1) return false;
    const bool is_protocol = begins_with(bytes, {0x20, 0x01}) && bytes[2] < 2; // 2001::/23, Teredo among it
    const bool is_documentation = begins_with(bytes, {0x20, 0x01, 0x0d, 0xb8}) ||
                                  (begins_with(bytes, {0x3f, 0xff}) && bytes[2] < 0x10); // RFC 3849, RFC 9637
    return !is_protocol && !is_documentation;
}

} // namespace

bool is_public(const address& address) {
    return address.is_v4() ? is_public4(address.to_v4().to_uint()) : is_public6(address.to_v6().to_bytes());
}

} // namespace credlease::outbound
