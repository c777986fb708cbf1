#pragma once

#include "cli/environment.hpp"

#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace credlease::cli {

/// The command that `exec` runs.
class Child {
  public:
    /// Exit status 127 for a command that is not found, 126 for one that cannot run, as a shell has it.
    [[nodiscard]] static Result<Child> start(const std::vector<std::string>& command, const Environment& environment);

    /// Passes signals on and waits for the end; its exit status, or 128 and the signal that ended it. `look` is called
    /// every second.
    int attend(const std::function<void()>& look);

  private:
    Child(pid_t process, int status) : process_(process), status_(status) {}
    [[nodiscard]] bool has_ended();
    void pass_on(int signal, int code) const;

    pid_t process_;
    int status_;
};

} // namespace credlease::cli
