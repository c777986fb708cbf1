#pragma once

#include "api/acceptor.hpp"
#include "api/connections.hpp"
#include "api/deadlines.hpp"
#include "api/event_stream.hpp"
#include "api/intake.hpp"
#include "api/listener.hpp"
#include "api/outlet.hpp"
#include "api/turn_shares.hpp"
#include "vocabulary/ulid.hpp"

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <array>
#include <memory>
#include <optional>
#include <sys/epoll.h>
#include <vector>

namespace credlease::api {

/// All that comes and goes through the two sockets, turn by turn: one epoll set (level-triggered), whose own descriptor
/// is the one thing that the loop waits for. A turn visits each connection that has something to say; each uid, and
/// within it each grant, gets a small part of it before any gets more, so that one busy client can't hold up another.
class Traffic : public std::enable_shared_from_this<Traffic> {
  public:
    Traffic(runtime::Loop& loop, runtime::Clock& clock, secret::Arena& arena, const Routes& routes,
            Listener::Options options);

    /// After construction: begins to wait.
    void start();
    void add(Door door, attestation::Descriptor listening);
    void set_connections_per_uid(std::uint32_t most) { options_.connections_per_uid = most; }
    void set_listeners_per_uid(std::uint32_t most) { options_.listeners_per_uid = most; }
    void stop(runtime::BootTime deadline, std::function<void()> done);
    /// The listener dies: everything is closed and nothing outside is touched any more.
    void shut();
    [[nodiscard]] std::size_t connections() const { return connections_.size(); }

    // For responders: a request's connection is named by slot and generation.
    bool answer(std::uint32_t slot, std::uint32_t generation, const vocabulary::RequestId& request, Reply reply);
    bool answer_secret(std::uint32_t slot, std::uint32_t generation, const vocabulary::RequestId& request,
                       SecretReply reply, secret::SecretBuffer body);
    /// The connection is sent events from now on. `rate_limited`: its user has as many listeners as it may.
    [[nodiscard]] result::Result<> open_stream(std::uint32_t slot, std::uint32_t generation,
                                               const vocabulary::RequestId& request, StreamWatch watch);
    /// To be sent in the connection's turn. False: it has gone, or was dropped because it does not read.
    bool write_event(std::uint32_t slot, std::uint32_t generation, const std::shared_ptr<const std::string>& text);
    [[nodiscard]] std::size_t unsent_events(std::uint32_t slot, std::uint32_t generation);
    /// Closes once all is sent; nobody is told of it.
    void end_stream(std::uint32_t slot, std::uint32_t generation);
    [[nodiscard]] bool is_connected(std::uint32_t slot, std::uint32_t generation) {
        return connections_.find(slot, generation) != nullptr;
    }

  private:
    struct ListeningSocket {
        Door door;
        attestation::Descriptor socket;
    };
    /// A connection with something to do in this turn.
    struct Due {
        std::uint32_t slot;
        std::uint32_t generation;
        std::uint32_t events;
        std::uint64_t last_visit = 0;
    };

    // traffic.cpp: turns
    void wait();
    void turn();
    void collect();
    void order_due();
    void visit_fairly();
    void visit(const Due& due);
    void queue(Connection& connection);
    void settle_queue();

    // arrivals.cpp: new connections
    void accept(ListeningSocket& door);
    void admit(Door door, attestation::Descriptor socket);
    void turn_away(int socket, const result::Error& error);
    void pause_accepting();
    void watch_doors(std::uint32_t events);

    // streams.cpp: connections that are sent events
    void stream(Connection& connection, std::uint32_t events);
    [[nodiscard]] bool still_listens(Connection& connection);
    void send_events(Connection& connection);
    void send_comment(Connection& connection);
    void end_stream(Connection& connection);
    void watch_peer(const Connection& connection, bool is_watched);
    [[nodiscard]] Connection* find_streaming(std::uint32_t slot, std::uint32_t generation);

    // requests.cpp: what a connection brings, and its answer
    void read(Connection& connection);
    void take_requests(Connection& connection);
    void dispatch(Connection& connection, Request& request);
    void call_handler(Connection& connection, const Request& request);
    void keep_rest(Connection& connection);
    void drain(Connection& connection);
    void refuse(Connection& connection, const result::Error& error, AfterReply after);
    void refuse_stranger(Connection& connection);
    bool sent(Connection& connection, Outlet::Sent how);
    void finish_reply(Connection& connection);
    void begin_draining(Connection& connection);
    void deadline_passed(Connection& connection, Waiting waiting);
    void watch(Connection& connection, std::uint32_t events);
    void close(Connection& connection);
    void close_when_idle(Connection& connection);
    void tell_if_stopped();
    [[nodiscard]] vocabulary::RequestId new_request_id();

    // What epoll reports of: the wake-up, a listening socket, or a connection by its slot and generation.
    static constexpr std::uint32_t wake_slot = no_slot;
    static constexpr std::uint32_t first_door_slot = no_slot - 16;
    static epoll_event event_of(std::uint32_t events, std::uint32_t slot, std::uint32_t generation = 0) {
        return {.events = events, .data = {.u64 = std::uint64_t{generation} << 32 | slot}};
    }

    using LoopDescriptor = boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

    runtime::Loop& loop_;
    runtime::Clock& clock_;
    const Routes& routes_;
    Listener::Options options_;
    std::optional<LoopDescriptor> epoll_; ///< none: shut
    attestation::Descriptor wake_;        ///< eventfd(2): readable while `queued_` is not empty
    bool is_awake_ = false;

    Connections connections_;
    std::optional<Deadlines> deadlines_;
    std::optional<Intake> intake_;
    Outlet outlet_;
    Acceptor acceptor_;
    std::vector<ListeningSocket> doors_;
    std::uint64_t accept_again_ = 0; ///< a call of the clock
    vocabulary::UlidSource ulids_;

    std::array<epoll_event, 512> events_{};
    std::vector<Due> due_;
    std::vector<Due> later_;
    std::vector<Due> queued_;
    TurnShares shares_;
    std::uint64_t visits_ = 0; ///< of all turns
    bool has_dispatched_ = false;

    bool is_stopping_ = false;
    std::uint64_t stop_call_ = 0;
    std::function<void()> stopped_;
};

} // namespace credlease::api
