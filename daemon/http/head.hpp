#pragma once

#include "result/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace credlease::http {

enum class Method : std::uint8_t { get, post, put, patch, del, other };

/// "GET"; empty for `other`.
[[nodiscard]] std::string_view name_of(Method method);

/// A request's line and headers, as far as the broker looks at them. The texts lie where they were read.
struct Head {
    Method method = Method::other;
    bool keep_alive = false;       ///< HTTP/1.1 without `Connection: close`
    bool without_body = false;     ///< HEAD: the answer is a head alone
    bool expects_continue = false; ///< waits for "100 Continue" before it sends the body
    bool chunked = false;          ///< the body comes in chunks, and has no Content-Length
    std::size_t content_length = 0;
    std::string_view path{};
    std::string_view query{};
    std::string_view host{};
    std::string_view cookie{};
    std::string_view grant{};
    std::string_view actor{};
    std::string_view idempotency_key{};
    std::string_view if_match{};
    std::string_view last_event_id{};
};

/// How many bytes the head block at the beginning of `bytes` takes, with the empty line that ends it; nullopt while
/// that has not come. `invalid_request` for a line that ends without CR or is folded (RFC 9112 §2.2, §5.2).
[[nodiscard]] result::Result<std::optional<std::size_t>> find_head(std::string_view bytes);

/// Whose requests are read. A browser's query is as a provider wrote it, and its Authorization, Upgrade and the like
/// are for the proxy that it came through: they are not looked at.
enum class Sender : std::uint8_t { client, browser };

/// Reads one head block (RFC 9112, strictly). Every refusal ends the connection: what follows can't be trusted.
[[nodiscard]] result::Result<Head> read_head(std::string_view block, Sender sender = Sender::client);

} // namespace credlease::http
