#pragma once

#include "attestation/peer.hpp"

#include <cstdint>

namespace credlease::api {

/// accept4(2) with a descriptor in reserve: when the process has none left, the connections that wait are accepted on
/// the reserve and turned away, instead of making the listening socket look ready for ever.
class Acceptor {
  public:
    Acceptor() { restore(); }

    enum class Kind : std::uint8_t {
        none,        ///< nobody waits
        accepted,    ///< a connection to be served
        turned_away, ///< taken on the reserve: to be told so and closed, then `restore`
        stuck,       ///< no descriptor at all: to be tried again later
    };
    struct Arrival {
        Kind kind = Kind::none;
        attestation::Descriptor socket{};
    };
    [[nodiscard]] Arrival accept(int listening);

    /// Whether a peer may have been refused only because looking it up takes two descriptors more.
    [[nodiscard]] static bool is_short_of_descriptors();

    /// Opens the reserve again, once the connection that was turned away is closed.
    void restore();

  private:
    attestation::Descriptor reserve_;
};

} // namespace credlease::api
