#pragma once

#include "console/reply.hpp"
#include "console/request.hpp"
#include "runtime/clock.hpp"
#include "runtime/loop.hpp"
#include "runtime/task_group.hpp"
#include "secret/arena.hpp"

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

namespace credlease::console {

/// HTTP for browsers on one loopback address, while it is told to listen: one bounded request a connection. Whoever is
/// on this host may connect, so connections, bytes and turns of the loop that they can take are few (guarantee 19).
class Server {
  public:
    using Answer = std::function<void(Reply)>;
    /// Called for each request that could be read; answers now or later.
    using Handler = std::function<void(Request, Answer)>;

    Server(runtime::Loop& loop, runtime::Clock& clock, secret::Arena& arena, Handler handler);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// On "127.0.0.1:7466" or "[::1]:7466"; elsewhere no longer. `configuration` where that cannot be listened on.
    [[nodiscard]] result::Result<> listen(const std::string& address);
    /// Who is connected is still answered.
    void stop_listening();
    [[nodiscard]] bool is_listening() const { return door_ != nullptr; }
    /// Ends what is left.
    [[nodiscard]] runtime::Task<> close();
    [[nodiscard]] std::size_t connections() const { return connections_.size(); }

  private:
    struct Door;
    struct Connection;
    using ConnectionRef = std::shared_ptr<Connection>;
    using Read = result::Result<std::optional<Request>>;

    [[nodiscard]] runtime::Task<> accept(std::shared_ptr<Door> door);
    void admit(int socket);
    [[nodiscard]] bool make_place();
    [[nodiscard]] runtime::Task<> serve(ConnectionRef connection);
    /// Nothing: the browser has gone, or was too slow.
    [[nodiscard]] runtime::Task<Read> read(ConnectionRef connection);
    [[nodiscard]] result::Result<> make_room(Connection& connection);
    enum class Sent : std::uint8_t { partly, over };
    void answer(const ConnectionRef& connection, Reply reply);
    [[nodiscard]] static Sent send_some(Connection& connection);
    [[nodiscard]] runtime::Task<> send_rest(ConnectionRef connection);
    void start_deadline(const ConnectionRef& connection);
    [[nodiscard]] runtime::Task<> pause(std::chrono::milliseconds time);

    runtime::Loop& loop_;
    runtime::Clock& clock_;
    secret::Arena& arena_;
    Handler handler_;
    std::shared_ptr<Door> door_; ///< none: it does not listen
    std::string address_;
    std::list<Connection*> connections_; ///< the oldest first; each takes itself out
    runtime::TaskGroup tasks_;
};

} // namespace credlease::console
