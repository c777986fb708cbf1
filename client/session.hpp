#pragma once

#include "client/http.hpp"
#include "client/socket.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace credlease::client {

/// Requests to one of the broker's sockets, one after the other over a connection that is kept, and made anew when it
/// was lost (a broker that was restarted). May be used from several threads.
class Session {
  public:
    struct Settings {
        Place place;       ///< of the socket
        std::string actor; ///< Credlease-Actor; empty: none
        std::shared_ptr<const secret::SecretBuffer> grant;
        std::chrono::milliseconds timeout; ///< of one exchange
    };
    explicit Session(Settings settings) : settings_(std::move(settings)) {}

    /// The answer, if its status is below 400; else the error in it. A request whose answer was lost is sent once more
    /// where that cannot do its work twice (see may_be_resent).
    Result<Reply> exchange(const Message& message);
    Result<Reply> exchange(const Message& message, std::chrono::milliseconds timeout);

    [[nodiscard]] const Settings& settings() const { return settings_; }
    /// Whether there ever was a connection.
    [[nodiscard]] bool was_reached() const { return was_reached_; }
    /// The same socket and caller, by a connection of its own.
    [[nodiscard]] std::shared_ptr<Session> another() const { return std::make_shared<Session>(settings_); }
    /// Fails what another thread waits for here, and all that follows.
    void interrupt();

  private:
    /// What became of a request on one connection.
    struct Attempt {
        std::optional<Result<Reply>> outcome; ///< none: the connection was lost
        bool was_sent = false;                ///< the broker may have seen all of it
    };
    Result<Reply> exchange_within(Message message, const Deadline& deadline);
    Attempt attempt(const secret::SecretBuffer& head, const Message& message, const Deadline& deadline);
    Attempt receive(bool secret_answer, const Deadline& deadline);
    Result<void> connect(const Deadline& deadline);
    Result<void> connect_again(const Deadline& deadline);
    void disconnect();

    Settings settings_;
    std::mutex exchange_lock_; ///< one exchange at a time
    std::mutex socket_lock_;   ///< between an exchange and `interrupt`
    std::optional<Socket> socket_;
    Interruption interruption_;
    std::atomic<bool> was_reached_{false};
};

/// Whether a request may be sent again although the broker may have seen it: reads and whole writes; a POST, by its
/// Idempotency-Key; what ends a lease or a grant (to end it again is success). Not an edit or a delete: the second
/// would be refused for what the first did.
[[nodiscard]] bool may_be_resent(const Message& message);

/// 128 random bits as 32 hexadecimal digits.
[[nodiscard]] std::string make_idempotency_key();

} // namespace credlease::client
