#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <string>

struct ssl_session_st;

namespace credlease::outbound {

using TlsSession = std::unique_ptr<ssl_session_st, void (*)(ssl_session_st*)>;

/// Sessions that servers gave out, to be resumed by the next connections to the same origin: certificates are then not
/// sent and verified once more. Each is used once (RFC 8446 §C.4), within minutes.
class TlsSessions {
  public:
    using Clock = std::chrono::steady_clock;

    /// `origin`: as it was verified (origin_of).
    void keep(std::string origin, TlsSession session, Clock::time_point now);
    /// The newest of this origin; nullptr: there is none.
    [[nodiscard]] TlsSession take(const std::string& origin, Clock::time_point now);
    /// A handshake failed that one was offered in.
    void forget(const std::string& origin);

  private:
    struct Kept {
        std::string origin;
        TlsSession session;
        Clock::time_point since;
    };
    std::deque<Kept> kept_{}; ///< oldest first
};

} // namespace credlease::outbound
