#include "api/traffic.hpp"

#include <cerrno>
#include <fcntl.h>
#include <system_error>

namespace credlease::api {
namespace {

using result::Error;
using result::ErrorCode;

/// Attesting a peer costs as much as several requests: a turn takes in a few only.
constexpr int arrivals_a_turn = 1;
constexpr std::chrono::milliseconds accept_again_after{100};

Error no_descriptors() {
    return {.code = ErrorCode::overloaded,
            .sentence = "The broker has no file descriptors left.",
            .next_step = "Close connections that are not needed, or raise LimitNOFILE.",
            .retry_after_seconds = 1};
}

Error too_many_connections() {
    return {.code = ErrorCode::overloaded,
            .sentence = "This user has too many connections.",
            .next_step = "Close some, or raise [limits] connections_per_uid.",
            .retry_after_seconds = 1};
}

} // namespace

void Traffic::add(Door door, attestation::Descriptor listening) {
    const int number = listening.number();
    // A socket that systemd passed may be a blocking one.
    (void)::fcntl(number, F_SETFL, ::fcntl(number, F_GETFL) | O_NONBLOCK);
    (void)attestation::prepare_listener(number);
    const auto slot = first_door_slot + static_cast<std::uint32_t>(doors_.size());
    epoll_event event = event_of(EPOLLIN, slot);
    if (::epoll_ctl(epoll_->native_handle(), EPOLL_CTL_ADD, number, &event) != 0) {
        throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    }
    doors_.push_back({door, std::move(listening)});
}

void Traffic::accept(ListeningSocket& door) {
    for (int i = 0; i < arrivals_a_turn; ++i) {
        auto arrival = acceptor_.accept(door.socket.number());
        switch (arrival.kind) {
        case Acceptor::Kind::none:
            return;
        case Acceptor::Kind::accepted:
            admit(door.door, std::move(arrival.socket));
            break;
        case Acceptor::Kind::turned_away:
            turn_away(arrival.socket.number(), no_descriptors());
            arrival.socket.close();
            acceptor_.restore();
            break;
        case Acceptor::Kind::stuck:
            return pause_accepting();
        }
    }
}

/// The kernel's word on the peer is taken before a byte is read.
void Traffic::admit(Door door, attestation::Descriptor socket) {
    auto peer = attestation::attest(socket.number());
    if (!peer) {
        const bool is_our_fault = Acceptor::is_short_of_descriptors();
        return turn_away(socket.number(), is_our_fault ? no_descriptors() : peer.error());
    }
    if (connections_.of_uid(peer->uid) >= options_.connections_per_uid) {
        turn_away(socket.number(), too_many_connections());
        if (options_.refused) options_.refused(*peer, name_of(ErrorCode::overloaded));
        return;
    }
    const int number = socket.number();
    Connection& connection = connections_.open(std::move(socket), door, std::move(*peer));
    connection.interest = EPOLLIN;
    connection.last_visit = visits_; // behind those who wait already
    epoll_event event = event_of(EPOLLIN, connection.slot, connection.generation);
    if (::epoll_ctl(epoll_->native_handle(), EPOLL_CTL_ADD, number, &event) != 0) {
        turn_away(number, no_descriptors());
        return close(connection);
    }
    deadlines_->start(connection, Waiting::idle);
}

void Traffic::turn_away(int socket, const Error& error) {
    const auto request = new_request_id();
    Reply reply = problem_reply(error, request);
    reply.close = true;
    Outlet::send_once(socket, request, reply);
}

/// Nothing can be accepted, not even to be closed: the listening sockets would look ready for ever.
void Traffic::pause_accepting() {
    if (accept_again_ != 0) return;
    watch_doors(0);
    accept_again_ = clock_.call_at(clock_.boot() + accept_again_after, [this] {
        accept_again_ = 0;
        acceptor_.restore();
        watch_doors(EPOLLIN);
    });
}

void Traffic::watch_doors(std::uint32_t events) {
    for (std::size_t i = 0; i < doors_.size(); ++i) {
        epoll_event event = event_of(events, first_door_slot + static_cast<std::uint32_t>(i));
        (void)::epoll_ctl(epoll_->native_handle(), EPOLL_CTL_MOD, doors_[i].socket.number(), &event);
    }
}

vocabulary::RequestId Traffic::new_request_id() {
    const auto now = clock_.wall().time_since_epoch().count();
    return vocabulary::RequestId(ulids_.next(static_cast<std::uint64_t>(now)));
}

} // namespace credlease::api
