#pragma once

#include "outbound/connection.hpp"
#include "runtime/clock.hpp"

#include <deque>
#include <memory>
#include <string>

namespace credlease::outbound {

struct Terms;

/// Connections that wait for the next request to the same origin, for four seconds at most: servers close idle ones
/// after five or more. None is used later than a minute after it was begun, so that a certificate that has ended or a
/// name that has moved is noticed. One whose other side ends it, or says anything that nobody asked for, is closed.
class KeptConnections {
  public:
    static constexpr std::size_t most_of_origin = 8;
    static constexpr std::size_t most = 64;

    /// `clock`: of the loop that the connections are on. That loop runs no more once this is gone.
    KeptConnections(runtime::Clock& clock, std::shared_ptr<const Terms> terms);
    ~KeptConnections();
    KeptConnections(const KeptConnections&) = delete;
    KeptConnections& operator=(const KeptConnections&) = delete;

    /// Closes all. From now on only connections of these terms are kept.
    void begin_anew(std::shared_ptr<const Terms> terms);
    void close_all();
    /// Closes it instead where it is not fit for another request: of other terms, too old, or not quiet.
    void keep(const std::shared_ptr<const Terms>& terms, std::string origin, std::unique_ptr<Connection> connection);
    /// The newest of this origin; nullptr: there is none.
    [[nodiscard]] std::unique_ptr<Connection> take(const std::shared_ptr<const Terms>& terms,
                                                   const std::string& origin);
    [[nodiscard]] std::size_t size() const { return kept_.size(); }

  private:
    struct Kept {
        std::uint64_t number = 0; ///< never given twice
        std::string origin;
        std::unique_ptr<Connection> connection;
        runtime::BootTime ends_at;
    };
    using Place = std::deque<Kept>::iterator;
    void make_room(const std::string& origin);
    void close(Place one);
    void close_old();

    runtime::Clock& clock_;
    std::shared_ptr<const Terms> terms_;
    std::deque<Kept> kept_{}; ///< oldest first
    std::uint64_t last_number_ = 0;
    std::uint64_t call_ = 0; ///< clock call that closes the oldest; 0: none waits
};

} // namespace credlease::outbound
