#pragma once

#include "credlease/client.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace credlease::cli {

/// Exit statuses (interface §4).
inline constexpr int exit_done = 0;
inline constexpr int exit_refused = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_unreachable = 3;

/// The code of an error that no broker answered.
inline constexpr const char* unreachable_code = "unreachable";
/// That of a service that the catalog does not have: what was typed cannot be meant.
inline constexpr const char* no_service_code = "service_not_found";

/// One call of the program: what its options say, and the command that they chose.
struct Invocation {
    bool json = false;
    std::string socket{}; ///< replaces whichever it would be
    bool user = false;
    bool system = false;
    std::vector<std::string> after_dashes{}; ///< what stands behind "--": the command of `exec`

    using Command = std::function<Result<int>()>;
    /// The innermost subcommand chooses first, and its choice stays.
    void choose(Command command) {
        if (!chosen) chosen = std::move(command);
    }
    Command chosen{};

    /// Where no broker is: all the sockets that were looked for.
    [[nodiscard]] Error explain(Error error) const;

    [[nodiscard]] Client client(std::chrono::milliseconds timeout = std::chrono::seconds(30)) const;
};

/// What was typed cannot be meant: exit status 2.
[[nodiscard]] Error usage(std::string sentence, std::string next_step = "");

/// `exec` was given no command, or one that does not stand behind "--".
[[nodiscard]] Error no_command_behind_dashes();

/// Says what is wrong on standard error (with --json as one JSON object); the exit status.
int report(const Error& error, bool as_json);

} // namespace credlease::cli
