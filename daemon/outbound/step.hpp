#pragma once

#include <cstddef>
#include <cstdint>

namespace credlease::outbound {

/// What one call on a socket that never blocks came to.
struct Step {
    enum class Kind : std::uint8_t {
        done,        ///< `count` bytes were moved
        wants_read,  ///< to be called again once the socket can be read
        wants_write, ///< … or written
        closed,      ///< the other side has said that nothing more comes
        broken,      ///< the connection is of no more use
    };
    Kind kind = Kind::broken;
    std::size_t count = 0;
};

} // namespace credlease::outbound
