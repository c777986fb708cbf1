#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace credlease::tests {

/// A real credleased on real sockets, in a folder of its own (a user's broker: XDG places below that folder).
class Daemon {
  public:
    struct Setup {
        std::string config{};                             ///< credleased.toml; empty: no file
        std::map<std::string, std::string> environment{}; ///< besides the XDG places
        std::vector<std::string> arguments{};
        std::string program{};                       ///< another build of the daemon; empty: daemon_program()
        std::optional<std::filesystem::path> root{}; ///< a folder to go on in; absent: a new one, removed at the end
        bool open_to_others = false;                 ///< other uids may reach lease.sock (its folder becomes 0755)
        std::function<void()> before_exec{};         ///< in the daemon's process: a sandbox around it
    };
    Daemon() : Daemon(Setup()) {}
    explicit Daemon(Setup setup);
    /// Kills what runs. Under a sanitizer it is stopped first, and a report of the daemon ends the test program.
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    /// Starts and waits until it says that it is ready; false when it stopped instead (see `log`).
    bool start();
    /// SIGTERM; the exit status, or nullopt when it did not stop in time.
    std::optional<int> stop(std::chrono::milliseconds within = std::chrono::seconds(20));
    void kill9();
    /// Waits until it has died by itself; false when it has not in time.
    bool wait_for_death(std::chrono::milliseconds within = std::chrono::seconds(30));
    void signal(int number) const;
    /// Waits until its log holds `text` (as often as `times`).
    bool wait_for_log(const std::string& text, std::size_t times = 1,
                      std::chrono::milliseconds within = std::chrono::seconds(30)) const;

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] std::string log() const;
    [[nodiscard]] std::filesystem::path root() const { return root_; }
    [[nodiscard]] std::filesystem::path data() const { return root_ / "state/credlease"; }
    [[nodiscard]] std::filesystem::path config_folder() const { return root_ / "config/credlease"; }
    [[nodiscard]] std::filesystem::path lease_socket() const { return root_ / "run/credlease/lease.sock"; }
    [[nodiscard]] std::filesystem::path admin_socket() const { return root_ / "run/credlease/admin.sock"; }
    void write_config(const std::string& text) const;

  private:
    void exec_daemon() const;

    Setup setup_;
    std::filesystem::path root_;
    bool remove_ = false;
    pid_t pid_ = 0;
    std::size_t starts_ = 0;
};

/// The built programs, next to the tests.
[[nodiscard]] std::string daemon_program();
[[nodiscard]] std::string command_program();
/// The daemon that dies at a step (crash_point.cpp).
[[nodiscard]] std::string crashing_program();

} // namespace credlease::tests
