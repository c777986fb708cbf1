#pragma once

#include "http/head.hpp"
#include "secret/secret_buffer.hpp"

#include <optional>
#include <string>
#include <vector>

namespace credlease::console {

/// A cookie that one of the daemon's pages may have given.
struct Cookie {
    std::string name;
    secret::SecretBuffer value;
};

/// What a browser asks for. Its query may hold a code and a state, and lies in the arena.
struct Request {
    http::Method method = http::Method::other;
    bool without_body = false; ///< HEAD
    bool has_body = false;
    std::string path{};
    std::string host{};
    secret::SecretBuffer query{};  ///< from its '?' on
    std::vector<Cookie> cookies{}; ///< those alone whose name begins as the daemon's do
};

/// The request at the beginning of `bytes`; nullopt while its head has not come whole.
[[nodiscard]] result::Result<std::optional<Request>> read_request(std::string_view bytes, secret::Arena& arena);

} // namespace credlease::console
