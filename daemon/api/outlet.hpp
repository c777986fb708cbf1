#pragma once

#include "api/connections.hpp"
#include "api/reply.hpp"

#include <string>

namespace credlease::api {

/// The head of a reply whose body lies in the arena.
struct SecretReply {
    unsigned status = 200;
    std::string_view location{};
    bool close = false;
};

/// Sends replies: head and body with one sendmsg(2). What the kernel does not take waits
/// with the connection, a secret one in the arena, where it is wiped as soon as it is gone.
class Outlet {
  public:
    /// What one uid's slow readers may leave here: bytes of replies with secrets, in the arena, and of text. One reply
    /// is always taken, however large.
    struct Most {
        std::size_t secrets;
        std::size_t text = std::size_t{8} << 20;
    };
    explicit Outlet(Most unsent_most) : unsent_most_(unsent_most) {}

    enum class Sent : std::uint8_t {
        all,
        partly, ///< `resume` when the socket is writable
        failed, ///< the connection is of no use any more, or its uid reads too little
    };
    [[nodiscard]] Sent send(Connection& connection, const vocabulary::RequestId& request, Reply reply);
    [[nodiscard]] Sent send_secret(Connection& connection, const vocabulary::RequestId& request,
                                   const SecretReply& reply, secret::SecretBuffer body);
    [[nodiscard]] Sent resume(Connection& connection);
    /// The head of an answer that ends with its connection (RFC 9112 §6.3, rule 8): `text/event-stream`.
    [[nodiscard]] static bool send_stream_head(Connection& connection, const vocabulary::RequestId& request);
    /// As much of what the listener is to be sent as the kernel takes.
    [[nodiscard]] static Sent send_events(Connection& connection);

    /// For a socket that never became a connection: what does not fit is lost.
    static void send_once(int socket, const vocabulary::RequestId& request, const Reply& reply);

  private:
    [[nodiscard]] Sent keep(Connection& connection, Unsent unsent) const;

    Most unsent_most_;
};

} // namespace credlease::api
