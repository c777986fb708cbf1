#pragma once

#include "result/result.hpp"
#include "secret/secret_buffer.hpp"
#include "vocabulary/ulid.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace credlease::api {

class Listener;

/// An answer without secrets.
struct Reply {
    unsigned status = 200;
    std::string body{}; ///< JSON text; empty with 204
    std::string location{};
    std::optional<std::uint64_t> etag{}; ///< the record's revision: `ETag: "7"`
    bool close = false;
};

/// The right to answer one request, once, now or in a later turn of the loop. Dropped without an answer, the client
/// gets `internal`. Answering a connection that has gone is harmless and returns false.
class Responder {
  public:
    Responder() = default;
    Responder(Listener& listener, std::uint32_t slot, std::uint32_t generation, vocabulary::RequestId request)
        : listener_(&listener), slot_(slot), generation_(generation), request_(request) {}
    Responder(Responder&& other) noexcept;
    Responder& operator=(Responder&& other) noexcept;
    ~Responder();

    bool answer(Reply reply);
    bool refuse(const result::Error& error);
    /// A JSON body that carries secrets: `body` lies in the arena, is sent with the head from where it lies, and wiped
    /// once the kernel has it (or the connection has gone).
    bool answer_secret(unsigned status, secret::SecretBuffer body);
    [[nodiscard]] const vocabulary::RequestId& request() const { return request_; }
    [[nodiscard]] bool pending() const { return listener_ != nullptr; }
    /// Whether the client is still there.
    [[nodiscard]] bool is_connected() const;

  private:
    Listener* listener_ = nullptr;
    std::uint32_t slot_ = 0;
    std::uint32_t generation_ = 0;
    vocabulary::RequestId request_{};
};

} // namespace credlease::api
