#include "api/traffic.hpp"
#include "wire/limits.hpp"

namespace credlease::api {
namespace {

/// What a listener may send, though nobody reads it, before it is cut off.
constexpr std::uint32_t ignored_most = 1U << 20;

result::Error too_many_listeners() {
    return {.code = result::ErrorCode::rate_limited,
            .sentence = "This user has too many listeners.",
            .next_step = "Close some, or raise [limits] listeners_per_uid.",
            .retry_after_seconds = 1};
}

} // namespace

EventStream::~EventStream() {
    if (traffic_) traffic_->end_stream(slot_, generation_);
}

bool EventStream::write(const std::shared_ptr<const std::string>& text) {
    return traffic_ && traffic_->write_event(slot_, generation_, text);
}

std::size_t EventStream::unsent() const { return traffic_ ? traffic_->unsent_events(slot_, generation_) : 0; }

result::Result<EventStream> Responder::open_stream(StreamWatch watch) {
    auto opened = traffic_->open_stream(slot_, generation_, request_, std::move(watch));
    if (!opened) return result::refuse(std::move(opened.error()));
    return EventStream(std::move(traffic_), slot_, generation_);
}

result::Result<> Traffic::open_stream(std::uint32_t slot, std::uint32_t generation,
                                      const vocabulary::RequestId& request, StreamWatch watch) {
    Connection* const connection = connections_.find(slot, generation);
    if (connection == nullptr || connection->phase != Phase::answering) return {}; // gone: its first write tells
    if (connection->account->listeners >= options_.listeners_per_uid) return result::refuse(too_many_listeners());
    connection->after_reply = AfterReply::close;
    if (!Outlet::send_stream_head(*connection, request) || connection->without_body) {
        close(*connection);
        return {};
    }
    ++connection->account->listeners;
    connection->phase = Phase::streaming;
    connection->stream =
        std::make_unique<Streaming>(Streaming{.drained = std::move(watch.drained), .closed = std::move(watch.closed)});
    watch_peer(*connection, true);
    this->watch(*connection, EPOLLIN);
    deadlines_->start(*connection, Waiting::comment);
    if (is_stopping_) end_stream(*connection);
    return {};
}

/// A child that inherited the socket would keep it open: the stream is its process's, and ends with it.
void Traffic::watch_peer(const Connection& connection, bool is_watched) {
    epoll_event event = event_of(EPOLLIN, connection.slot, connection.generation);
    (void)::epoll_ctl(epoll_->native_handle(), is_watched ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
                      connection.peer->pidfd.number(), &event);
}

Connection* Traffic::find_streaming(std::uint32_t slot, std::uint32_t generation) {
    Connection* const found = connections_.find(slot, generation);
    return found != nullptr && found->phase == Phase::streaming ? found : nullptr;
}

bool Traffic::write_event(std::uint32_t slot, std::uint32_t generation,
                          const std::shared_ptr<const std::string>& text) {
    Connection* const connection = find_streaming(slot, generation);
    if (connection == nullptr || connection->stream->is_last) return false;
    Streaming& stream = *connection->stream;
    stream.texts.push_back(text);
    stream.unsent += text->size();
    if (!stream.is_blocked) {
        queue(*connection);
        return true;
    }
    if (stream.unsent <= wire::limits::unread_events) return true;
    stream.closed = nullptr; // whoever writes hears of it now
    close(*connection);
    return false;
}

std::size_t Traffic::unsent_events(std::uint32_t slot, std::uint32_t generation) {
    const Connection* const connection = find_streaming(slot, generation);
    return connection == nullptr ? 0 : connection->stream->unsent;
}

void Traffic::end_stream(std::uint32_t slot, std::uint32_t generation) {
    Connection* const connection = find_streaming(slot, generation);
    if (connection == nullptr) return;
    connection->stream->closed = nullptr;
    connection->stream->drained = nullptr;
    end_stream(*connection);
}

void Traffic::end_stream(Connection& connection) {
    connection.stream->is_last = true;
    if (connection.stream->texts.empty()) return close(connection);
    // Who takes nothing more is not waited for longer than for the rest of any other answer.
    deadlines_->start(connection, Waiting::reply);
}

void Traffic::stream(Connection& connection, std::uint32_t events) {
    if ((events & EPOLLIN) != 0 && !still_listens(connection)) return close(connection);
    send_events(connection);
}

/// What a listener sends is read only to see whether it is still there.
bool Traffic::still_listens(Connection& connection) {
    const auto came = intake_->receive(connection);
    intake_->discard();
    if (came == Intake::Came::nothing) return connection.peer->is_alive();
    connection.drained += 4096; // at most that much is read at once
    return came == Intake::Came::bytes && connection.drained < ignored_most;
}

void Traffic::send_events(Connection& connection) {
    Streaming& stream = *connection.stream;
    const auto sent = Outlet::send_events(connection);
    stream.is_blocked = sent == Outlet::Sent::partly;
    const bool reads_too_little = stream.is_blocked && stream.unsent > wire::limits::unread_events;
    if (sent == Outlet::Sent::failed || reads_too_little) return close(connection);
    if (stream.is_blocked) return watch(connection, EPOLLIN | EPOLLOUT);
    if (stream.is_last) return close(connection);
    watch(connection, EPOLLIN);
    if (stream.drained) stream.drained();
}

void Traffic::send_comment(Connection& connection) {
    static const auto comment = std::make_shared<const std::string>(":\n\n");
    deadlines_->start(connection, Waiting::comment);
    // Who has something unsent hears from us anyway, or does not read.
    if (connection.stream->texts.empty()) write_event(connection.slot, connection.generation, comment);
}

} // namespace credlease::api
