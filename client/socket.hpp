#pragma once

#include "client/deadline.hpp"
#include "client/interruption.hpp"
#include "client/wake.hpp"
#include "credlease/client.hpp"

#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace credlease::client {

/// A socket's path, and the variable of the environment that names it.
struct Place {
    std::string path;
    std::string_view variable;
};

/// A connection to a broker whose listening process was checked (interface §1): it is root's, the caller's own, or the
/// `credlease` account's. Closed on exec, and at once in a forked child.
class Socket {
  public:
    /// `unreachable`: nobody listens there, or somebody else does. Nothing has been sent then. While the listener's
    /// backlog is full it is tried again, until the deadline or an interruption.
    [[nodiscard]] static Result<Socket> connect_to(const Place& place, const Deadline& deadline,
                                                   Interruption& interruption);

    ~Socket();
    Socket(Socket&& other) noexcept;
    Socket& operator=(Socket&& other) noexcept;
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    enum class Outcome { done, lost, timed_out, woken };
    struct Sent {
        Outcome outcome;
        bool any; ///< some bytes left
        bool all;
    };
    /// Sends the texts one after the other.
    [[nodiscard]] Sent send(std::span<const std::string_view> texts, const Deadline& deadline) const;
    /// At least one byte, as recv(2); none where `wake` came first.
    [[nodiscard]] Outcome receive(char* room, std::size_t size, std::size_t& received, const Deadline& deadline,
                                  const Wake* wake = nullptr) const;
    /// Ends what another thread waits for.
    void shut_down() const;

  private:
    explicit Socket(int descriptor);
    int descriptor_ = -1;
};

} // namespace credlease::client
