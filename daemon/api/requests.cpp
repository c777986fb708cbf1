#include "api/traffic.hpp"

#include <exception>
#include <sys/socket.h>

namespace credlease::api {
namespace {

using result::Error;
using result::ErrorCode;

/// What a client may still send after its last reply, before it is cut off.
constexpr std::uint32_t drained_most = 1U << 20;

Error timed_out() {
    return {.code = ErrorCode::request_timeout,
            .sentence = "The request did not come whole in time.",
            .next_step = "Send a request within 10 seconds of its first byte."};
}

Error no_room() {
    return {.code = ErrorCode::overloaded,
            .sentence = "Too many requests of this user are under way.",
            .next_step = "Try again in a moment, with fewer requests at a time.",
            .retry_after_seconds = 1};
}

/// In place of a grant: whoever makes one up for each connection shares the turns of all who were not let in.
constexpr std::string_view strangers = "?";

Error strange_writer() {
    return {.code = ErrorCode::unauthenticated,
            .sentence = "This connection was opened by another process.",
            .next_step = "Open a connection of your own."};
}

} // namespace

void Traffic::read(Connection& connection) {
    const std::uint32_t slot = connection.slot;
    const std::uint32_t generation = connection.generation;
    const auto came = std::exchange(connection.has_more, false) ? Intake::Came::bytes : intake_->receive(connection);
    switch (came) {
    case Intake::Came::bytes:
        intake_->load(connection);
        take_requests(connection);
        break;
    case Intake::Came::nothing:
        break;
    case Intake::Came::stranger:
        refuse_stranger(connection);
        break;
    case Intake::Came::end:
        close(connection);
        break;
    }
    if (connections_.find(slot, generation) == nullptr) return intake_->discard();
    keep_rest(connection);
}

void Traffic::take_requests(Connection& connection) {
    Request request;
    switch (intake_->next(connection, request)) {
    case Intake::Found::request:
        return dispatch(connection, request);
    case Intake::Found::part:
        if (connection.waiting != Waiting::request) deadlines_->start(connection, Waiting::request);
        return;
    case Intake::Found::refused:
        return refuse(connection, intake_->why(), AfterReply::drain);
    case Intake::Found::nothing:
        return;
    }
}

/// At the end of a visit. Bytes that are left are either the beginning of a request, or requests that were sent ahead.
void Traffic::keep_rest(Connection& connection) {
    const bool is_last = connection.phase == Phase::draining || connection.after_reply != AfterReply::keep;
    if (is_last || intake_->is_empty()) return intake_->discard();
    const bool is_part = connection.waiting == Waiting::request;
    if (!intake_->settle(connection)) {
        if (connection.phase == Phase::reading_head) return refuse(connection, no_room(), AfterReply::drain);
        connection.after_reply = AfterReply::close; // what was sent ahead is lost: the reply says that it is the last
        return;
    }
    connection.has_more = !is_part;
    if (connection.has_more && connection.phase == Phase::reading_head) queue(connection);
}

void Traffic::dispatch(Connection& connection, Request& request) {
    const std::uint32_t slot = connection.slot;
    const std::uint32_t generation = connection.generation;
    deadlines_->stop(connection);
    connection.phase = Phase::answering;
    if (is_stopping_ && connection.after_reply == AfterReply::keep) connection.after_reply = AfterReply::close;
    request.id = new_request_id();

    // What was kept of a request in parts lives until the handler returns, even if the connection is closed meanwhile.
    secret::SecretBuffer body = std::move(connection.body);
    const std::unique_ptr<KeptHead> head = std::move(connection.head);
    if (!head) {
        call_handler(connection, request);
        return;
    }
    request.kept = &body;
    head->grant.expose([&](std::span<const std::byte> grant) {
        request.grant = secret::as_text(grant);
        body.expose([&](std::span<const std::byte> bytes) {
            request.body = secret::as_text(bytes);
            call_handler(connection, request);
        });
    });
    if (body.empty() || connections_.find(slot, generation) == nullptr) return;
    connection.account->received -= std::exchange(connection.body_charged, 0); // nobody took the body along
}

void Traffic::call_handler(Connection& connection, const Request& request) {
    connection.turn_class = turn_class_of(connection.account->uid, request.grant);
    shares_.came(connection);
    has_dispatched_ = true;
    Responder responder(shared_from_this(), connection.slot, connection.generation, request.id);
    try {
        routes_.dispatch(request, std::move(responder), options_.is_sealed && options_.is_sealed());
    } catch (const std::exception& thrown) { // the responder has answered `internal` on its way out
        if (options_.broken) options_.broken(thrown.what());
    }
}

bool Traffic::answer(std::uint32_t slot, std::uint32_t generation, const vocabulary::RequestId& request, Reply reply) {
    Connection* const connection = connections_.find(slot, generation);
    if (connection == nullptr || connection->phase != Phase::answering) return false;
    if (reply.close && connection->after_reply == AfterReply::keep) connection->after_reply = AfterReply::close;
    reply.close = connection->after_reply != AfterReply::keep;
    if (reply.status == 401) connection->turn_class = turn_class_of(connection->account->uid, strangers);
    return sent(*connection, outlet_.send(*connection, request, std::move(reply)));
}

bool Traffic::answer_secret(std::uint32_t slot, std::uint32_t generation, const vocabulary::RequestId& request,
                            SecretReply reply, secret::SecretBuffer body) {
    Connection* const connection = connections_.find(slot, generation);
    if (connection == nullptr || connection->phase != Phase::answering) return false;
    reply.close = connection->after_reply != AfterReply::keep;
    return sent(*connection, outlet_.send_secret(*connection, request, reply, std::move(body)));
}

/// What becomes of a connection after a reply was given to the kernel.
bool Traffic::sent(Connection& connection, Outlet::Sent how) {
    switch (how) {
    case Outlet::Sent::all:
        finish_reply(connection);
        return true;
    case Outlet::Sent::partly: {
        // A reader that goes on taking may take its time, but no secret waits longer than the first deadline.
        const bool first = connection.phase != Phase::sending;
        connection.phase = Phase::sending;
        if (first || connection.unsent->secret.empty()) deadlines_->start(connection, Waiting::reply);
        watch(connection, EPOLLOUT);
        return true;
    }
    case Outlet::Sent::failed:
        close(connection);
        return false;
    }
    return false;
}

void Traffic::finish_reply(Connection& connection) {
    connection.account->received -= std::exchange(connection.body_charged, 0);
    if (connection.after_reply == AfterReply::close) return close(connection);
    if (connection.after_reply == AfterReply::drain) return begin_draining(connection);
    connection.phase = Phase::reading_head;
    deadlines_->start(connection, Waiting::idle);
    watch(connection, EPOLLIN);
    if (connection.has_more) queue(connection);
}

void Traffic::refuse(Connection& connection, const Error& error, AfterReply after) {
    connection.account->received -= std::exchange(connection.body_charged, 0);
    connection.body.reset();
    connection.head.reset();
    connection.after_reply = after;
    connection.without_body = false;
    const auto request = new_request_id();
    Reply reply = problem_reply(error, request);
    reply.close = true;
    sent(connection, outlet_.send(connection, request, std::move(reply)));
}

void Traffic::refuse_stranger(Connection& connection) {
    if (options_.refused) options_.refused(*connection.peer, name_of(ErrorCode::unauthenticated));
    refuse(connection, strange_writer(), AfterReply::close);
}

/// Closing a socket with unread bytes would break the client's next write before it has read the reply.
void Traffic::begin_draining(Connection& connection) {
    ::shutdown(connection.socket.number(), SHUT_WR);
    connection.phase = Phase::draining;
    deadlines_->start(connection, Waiting::request);
    watch(connection, EPOLLIN);
}

void Traffic::drain(Connection& connection) {
    const auto came = intake_->receive(connection);
    if (came == Intake::Came::nothing) return;
    connection.drained += 4096; // at most that much is read at once
    intake_->discard();
    if (came == Intake::Came::end || connection.drained >= drained_most) close(connection);
}

void Traffic::deadline_passed(Connection& connection, Waiting waiting) {
    if (waiting == Waiting::comment) return send_comment(connection);
    const bool is_late = waiting == Waiting::request && connection.phase != Phase::draining;
    if (is_late) return refuse(connection, timed_out(), AfterReply::close);
    close(connection);
}

void Traffic::watch(Connection& connection, std::uint32_t events) {
    if (connection.interest == events) return;
    connection.interest = events;
    epoll_event event = event_of(events, connection.slot, connection.generation);
    (void)::epoll_ctl(epoll_->native_handle(), EPOLL_CTL_MOD, connection.socket.number(), &event);
}

void Traffic::close_when_idle(Connection& connection) {
    const bool is_idle = connection.phase == Phase::reading_head && connection.held.empty();
    if (is_idle || connection.phase == Phase::draining) return close(connection);
    if (connection.phase == Phase::streaming) return end_stream(connection);
    const bool is_reading = connection.phase == Phase::reading_head || connection.phase == Phase::reading_body;
    if (!is_reading && connection.after_reply == AfterReply::keep) connection.after_reply = AfterReply::close;
}

void Traffic::close(Connection& connection) {
    deadlines_->stop(connection);
    const std::unique_ptr<Streaming> stream = std::move(connection.stream);
    if (connection.phase == Phase::streaming) watch_peer(connection, false);
    connections_.close(connection);
    if (stream && stream->closed) stream->closed();
    if (is_stopping_) tell_if_stopped();
}

} // namespace credlease::api
