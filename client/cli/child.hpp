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
    /// every second, and soon after `wake`.
    int attend(const std::function<void()>& look);
    /// Ends it politely: SIGTERM, after ten seconds SIGKILL. Signals are passed on meanwhile. False: it was told to end
    /// by somebody else as well.
    [[nodiscard]] bool end();
    void send(int signal) const;
    [[nodiscard]] bool is_running() const { return process_ != 0; }

    /// Before anything else begins that might call `wake`.
    static void expect_wake();
    /// From any thread: a child that is attended is looked at.
    static void wake();

  private:
    Child(pid_t process, int status) : process_(process), status_(status) {}
    [[nodiscard]] bool has_ended();
    void pass_on(int signal, int code) const;
    /// One signal, or none for a second.
    void take_signal();

    pid_t process_; ///< 0: it never was, or has ended
    int status_;
    bool is_told_to_end_ = false; ///< by a signal that was passed on
};

} // namespace credlease::cli
