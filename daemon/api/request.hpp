#pragma once

#include "attestation/peer.hpp"
#include "http/head.hpp"
#include "result/result.hpp"
#include "secret/secret_buffer.hpp"
#include "vocabulary/ulid.hpp"

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace credlease::api {

class Intake;
struct Connection;

enum class Door : std::uint8_t { lease, admin }; ///< which of the two sockets
using http::Method;

/// One bounded request, read in place: its texts lie in arena memory that lives until the handler returns. A handler
/// that answers later takes the body along (`take_body`) and copies what else it needs.
struct Request {
    Door door = Door::lease;
    Method method = Method::get;
    std::string_view path{};  ///< decoded path segments are taken with Routes::Match
    std::string_view query{}; ///< after '?', not decoded
    std::string_view grant{}; ///< the token of `Authorization: Bearer …`: a secret
    std::string_view actor{}; ///< Credlease-Actor
    std::string_view idempotency_key{};
    std::string_view if_match{};
    std::string_view last_event_id{};
    std::string_view body{}; ///< may hold secrets
    vocabulary::RequestId id{};
    std::shared_ptr<const attestation::Peer> peer;

    Intake* intake = nullptr; ///< who read it, and for which connection
    Connection* connection = nullptr;
    secret::SecretBuffer* kept = nullptr; ///< the buffer that holds the body; none where it was read in place

    /// The body for a handler that answers later: moved where it has a buffer of its own, else copied. Called before
    /// the handler returns. `overloaded` when the arena, or the client's part of it, is full.
    [[nodiscard]] result::Result<secret::SecretBuffer> take_body() const;
};

/// A query's parameter, percent-decoded (RFC 3986); nullopt when absent. `invalid_request` for bad encoding is decided
/// by `read_query`, which every handler with parameters calls with the names it knows: unknown or repeated ones are
/// refused.
class Query {
  public:
    struct Known {
        std::string_view name;
        bool repeatable = false;
    };
    [[nodiscard]] static result::Result<Query> read(std::string_view query, std::initializer_list<Known> known);
    [[nodiscard]] std::optional<std::string> find(std::string_view name) const;
    [[nodiscard]] std::vector<std::string> all(std::string_view name) const;

  private:
    std::vector<std::pair<std::string, std::string>> parameters_;
};

} // namespace credlease::api
