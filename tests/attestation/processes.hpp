#pragma once

#include "attestation/peer.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <sys/types.h>

namespace credlease::attestation {

/// A child process; killed and reaped when this dies.
class Child {
  public:
    Child() = default;
    /// Forks: the child runs `life` and exits with what it returns.
    explicit Child(const std::function<int()>& life);
    /// Forks with a pid of our choice (clone3(2), set_tid); pid() is -1 where that is not allowed.
    static Child with_pid(pid_t pid, const std::function<int()>& life);
    Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
    Child& operator=(Child&& other) noexcept;
    ~Child() { end(); }

    [[nodiscard]] pid_t pid() const { return pid_; }
    /// Kills and reaps it.
    void end();
    /// Waits until it exits by itself; its exit status, or -1.
    int wait();
    /// Waits until it exits by itself, but leaves it a zombie.
    [[nodiscard]] bool has_exited() const;

  private:
    pid_t pid_ = -1;
};

/// Whether the listening socket was prepared (`prepare_listener`).
enum class Listening : std::uint8_t { prepared, plain };

/// A listening Unix socket that every uid may connect to.
class Listener {
  public:
    explicit Listener(Listening how = Listening::prepared);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    [[nodiscard]] Descriptor accept() const;
    /// A connected socket (closed where it could not connect).
    [[nodiscard]] Descriptor connect() const;
    /// A child that connects, and then lives by `life`.
    [[nodiscard]] Child client(const std::function<int(int socket)>& life) const;
    [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

  private:
    std::filesystem::path directory_;
    Descriptor socket_;
};

/// Sleeps until it is killed.
int stay();
/// Drops to `uid` and its group, for good.
void become(uid_t uid);
/// A byte from one side to the other: "go on".
void say_go(int socket);
[[nodiscard]] bool go_came(int socket);
bool write_text(int socket, const std::string& text);

/// True for root; otherwise says that the test is skipped.
bool can_change_uid();

} // namespace credlease::attestation
