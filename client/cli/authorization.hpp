#pragma once

#include "cli/invocation.hpp"

#include <optional>
#include <string>

namespace credlease::cli {

struct Authorizing {
    std::string id{};
    std::string name{}; ///< printable
    bool by_device = false;
    std::optional<SecretText> refresh_token{}; ///< that a person has already: no browser is needed
    bool is_waited_for = true;                 ///< else a person is told what to do, and how it goes on then
};

inline constexpr const char* refresh_token_help =
    "By a refresh token that you have: it is asked for, or read from standard input";
/// Asks for it without an echo, or reads it from standard input where that is no terminal; `usage` where none is given.
[[nodiscard]] Result<SecretText> read_refresh_token();

/// Leads a person through the authorization of a credential: opens the browser or shows the address, and waits until
/// the browser came back to the broker or the address that it was sent to is pasted, whichever is first; by device
/// shows what is to be typed where, and waits. Of one that needs no person it waits for its tokens.
[[nodiscard]] Result<int> authorize(const Invocation& invocation, const Authorizing& asked);

} // namespace credlease::cli
