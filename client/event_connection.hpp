#pragma once

#include "client/event_text.hpp"
#include "client/http.hpp"
#include "client/session.hpp"

#include <functional>
#include <mutex>
#include <optional>

namespace credlease::client {

/// A connection that events come over, made anew when it is lost: what was missed is asked for. For one thread, but for
/// `interrupt`.
class EventConnection {
  public:
    explicit EventConnection(Session::Settings settings) : settings_(std::move(settings)) {}

    void begin_behind(std::string last_event_id) { text_.begin_behind(std::move(last_event_id)); }
    /// Connects and asks; the broker's refusal, if it refuses.
    Result<void> open(const Deadline& deadline);
    /// Shows what comes, until the connection is lost (then it is success), is interrupted, or `show` says false.
    /// `begun` is called once the first line is there: from then on nothing is missed. `between` is called before it
    /// waits for more, each time, and soon after `wake`.
    Result<void> read(const std::function<bool(const Event&)>& show, const std::function<void()>& begun = {},
                      const std::function<void()>& between = {});
    /// From any thread.
    void wake() const { wake_.come(); }
    /// Fails what another thread waits for here, and all that follows.
    void interrupt();
    /// The same for what is read just now alone: it is as lost.
    void break_off();
    [[nodiscard]] bool is_interrupted() const { return interruption_.has_come(); }
    /// Waits that long, or until it is interrupted.
    void pause(std::chrono::milliseconds time) { (void)interruption_.comes_within(time); }

  private:
    Result<void> connect(const Deadline& deadline);
    Result<void> send_request(const Deadline& deadline);
    /// Some bytes, or none where `wake` came first; false: the connection is lost.
    Result<bool> receive(const Deadline& deadline, const Wake* wake = nullptr);
    void close();

    Session::Settings settings_;
    EventText text_;
    std::mutex socket_lock_; ///< between what waits and `interrupt`
    std::optional<Socket> socket_;
    std::optional<ReplyReader> reader_;
    std::string unread_; ///< of the answer's head
    Interruption interruption_;
    Wake wake_;
};

} // namespace credlease::client
