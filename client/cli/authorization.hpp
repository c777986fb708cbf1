#pragma once

#include "cli/answers.hpp"
#include "cli/invocation.hpp"

#include <optional>
#include <string>

namespace credlease::cli {

struct Authorizing {
    std::string id{};
    std::string name{};  ///< printable
    bool is_new = false; ///< it was stored a moment ago: what is wrong with it is told with how to be rid of it
    bool by_device = false;
    std::optional<SecretText> refresh_token{}; ///< that a person has already: no browser is needed
    /// Else a person is told what to do, and how it goes on then.
    bool waits_for_address = true;
    bool waits_for_code = true; ///< that is typed elsewhere
};

inline constexpr const char* refresh_token_help =
    "By a refresh token that you have: it is asked for, or read from standard input";
/// Asks for it without an echo, or reads it from standard input where that is no terminal; `usage` where none is given.
[[nodiscard]] Result<SecretText> read_refresh_token();

/// Leads a person through the authorization of a credential: opens the browser or shows the address, and waits until
/// the browser came back to the broker or the address that it was sent to is pasted, whichever is first; by device
/// shows what is to be typed where, and waits. Of one that needs no person it waits for its tokens.
[[nodiscard]] Result<int> authorize(const Invocation& invocation, const Authorizing& asked);

/// For a program: begins it and waits for nobody. The broker's answer, with how it goes on as `next_step`; of one that
/// could not be begun `state` is "failed" and `error` says why.
[[nodiscard]] json::object begin_for_program(const Invocation& invocation, const Authorizing& asked);

} // namespace credlease::cli
