#pragma once

#include "api/connections.hpp"
#include "api/request.hpp"
#include "secret/arena.hpp"

#include <span>

namespace credlease::api {

/// Reads bounded requests. All connections share one scratch slot of the arena: a request that is there whole is
/// handled in place; of what is not, or is chunked, the rest moves to a buffer of its connection, charged to its uid (a
/// sixteenth of the arena).
class Intake {
  public:
    /// Throws std::bad_alloc when the arena has no room for the scratch.
    explicit Intake(secret::Arena& arena);
    ~Intake();
    Intake(const Intake&) = delete;
    Intake& operator=(const Intake&) = delete;

    enum class Came : std::uint8_t { bytes, nothing, stranger, end };
    /// Loads what the connection holds and reads once from its socket.
    [[nodiscard]] Came receive(Connection& connection);
    /// Loads what the connection holds, without reading.
    void load(Connection& connection);

    enum class Found : std::uint8_t {
        request, ///< `request` is filled; its texts live until `settle`, or with `Connection::head` where that is set
        part,    ///< the beginning of one
        nothing,
        refused, ///< see `why`: the connection's bytes can't be trusted any more
    };
    [[nodiscard]] Found next(Connection& connection, Request& request);
    [[nodiscard]] const result::Error& why() const { return why_; }

    /// Ends a visit: what was not handled is kept with the connection, and the scratch is wiped. False when the uid has
    /// no room left for it: then it is lost.
    [[nodiscard]] bool settle(Connection& connection);
    /// Ends a visit to a connection that has gone.
    void discard();

    /// A copy of a body that was read in place, charged until the request is answered.
    [[nodiscard]] result::Result<secret::SecretBuffer> copy_body(Connection& connection, std::string_view body);

    [[nodiscard]] bool is_empty() const { return at_ == filled_; }

  private:
    [[nodiscard]] Came receive_body(Connection& connection);
    [[nodiscard]] Found begin_body(Connection& connection, const http::Head& head, Request& request);
    [[nodiscard]] Found read_chunks(Connection& connection, Request& request);
    [[nodiscard]] result::Result<> append(Connection& connection, std::string_view data);
    [[nodiscard]] result::Result<> make_room(Connection& connection, std::size_t size);
    void fill(Request& request, Connection& connection, const http::Head& head);
    [[nodiscard]] Found refuse(result::Error error);
    [[nodiscard]] result::Result<secret::SecretBuffer> make_buffer(Connection& connection, std::size_t size) const;
    [[nodiscard]] std::string_view window() const;

    secret::Arena& arena_;
    std::span<std::byte> scratch_;
    std::size_t at_ = 0;     ///< the next byte to look at
    std::size_t filled_ = 0; ///< the end of what was read
    result::Error why_;
};

} // namespace credlease::api
