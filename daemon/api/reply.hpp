#pragma once

#include "result/result.hpp"
#include "secret/secret_buffer.hpp"
#include "vocabulary/ulid.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace credlease::api {

class EventStream;
struct StreamWatch;
class Traffic;

/// An answer without secrets.
struct Reply {
    unsigned status = 200;
    std::string body{}; ///< JSON text; empty with 204
    std::string location{};
    std::optional<std::uint64_t> etag{}; ///< the record's revision: `ETag: "7"`
    bool close = false;
    std::string_view content_type = "application/json"; ///< of a text that lives as long as the program
    std::string allow{};                                ///< "GET, POST", with 405
    std::optional<std::uint32_t> retry_after{};         ///< seconds
};

/// An error as application/problem+json.
[[nodiscard]] Reply problem_reply(const result::Error& error, const vocabulary::RequestId& request);

/// The right to answer one request, once, now or in a later turn of the loop. Dropped without an answer, the client
/// gets `internal`. Answering a connection that has gone, or a listener that has, is harmless and returns false.
class Responder {
  public:
    Responder() = default;
    Responder(std::shared_ptr<Traffic> traffic, std::uint32_t slot, std::uint32_t generation,
              vocabulary::RequestId request)
        : traffic_(std::move(traffic)), slot_(slot), generation_(generation), request_(request) {}
    Responder(Responder&& other) noexcept;
    Responder& operator=(Responder&& other) noexcept;
    ~Responder();

    bool answer(Reply reply);
    bool refuse(const result::Error& error);
    /// A JSON body that carries secrets: `body` lies in the arena, is sent with the head from where it lies, and wiped
    /// once the kernel has it (or the connection has gone). False: it can't reach the client any more.
    bool answer_secret(unsigned status, secret::SecretBuffer body, std::string_view location = {});
    /// An answer that goes on: events as they happen. `rate_limited`: too many listeners, and still to be answered.
    [[nodiscard]] result::Result<EventStream> open_stream(StreamWatch watch);
    [[nodiscard]] const vocabulary::RequestId& request() const { return request_; }
    [[nodiscard]] bool pending() const { return traffic_ != nullptr; }
    /// Whether the client is still there.
    [[nodiscard]] bool is_connected() const;

  private:
    std::shared_ptr<Traffic> traffic_; ///< none: answered, moved away or never made
    std::uint32_t slot_ = 0;
    std::uint32_t generation_ = 0;
    vocabulary::RequestId request_{};
};

} // namespace credlease::api
