#include "client/event_connection.hpp"

#include "client/refusal.hpp"

#include <array>

namespace credlease::client {
namespace {

using namespace std::chrono_literals;

/// A comment comes every 15 s: a broker that is silent for longer is none.
constexpr auto silence_most = 60s;

Error is_closing() { return unreachable("The client is being closed.", ""); }
Error was_lost() { return unreachable("The broker closed the connection without an answer.", "Look into its log."); }

} // namespace

Result<void> EventConnection::connect(const Deadline& deadline) {
    auto connected = Socket::connect_to(settings_.place, deadline, interruption_);
    if (!connected) return connected.error();
    const std::lock_guard alone(socket_lock_);
    if (interruption_.has_come()) return is_closing();
    socket_.emplace(std::move(*connected));
    return {};
}

Result<void> EventConnection::send_request(const Deadline& deadline) {
    const std::string last_id = text_.last_id();
    const auto head = write_head({.method = "GET",
                                  .path = "/v1/events",
                                  .actor = settings_.actor,
                                  .accept = "text/event-stream",
                                  .last_event_id = last_id,
                                  .grant = settings_.grant.get()});
    if (!head) return head.error();
    return head->expose([&](std::span<const std::byte> bytes) -> Result<void> {
        const std::array texts = {secret::as_text(bytes)};
        if (socket_->send(texts, deadline).outcome != Socket::Outcome::done) return was_lost();
        return {};
    });
}

Result<void> EventConnection::open(const Deadline& deadline) {
    close();
    text_.begin_anew();
    unread_.clear();
    reader_.emplace(ReplyReader::Body::stream);
    if (auto connected = connect(deadline); !connected) return connected;
    if (auto sent = send_request(deadline); !sent) return sent;
    while (reader_->status() == 0 || (reader_->status() >= 400 && !reader_->is_done())) {
        const auto received = receive(deadline);
        if (!received) return received.error();
        if (!*received) return was_lost();
    }
    if (reader_->status() < 400) return {};
    const auto refusal = read_refusal(std::move(*reader_).reply());
    close();
    return refusal;
}

Result<bool> EventConnection::receive(const Deadline& deadline, const Wake* wake) {
    std::array<char, 16384> piece{};
    std::size_t received = 0;
    const auto outcome = socket_->receive(piece.data(), piece.size(), received, deadline, wake);
    if (outcome == Socket::Outcome::woken) return true;
    if (outcome != Socket::Outcome::done) return false;
    unread_.append(piece.data(), received);
    const auto taken = reader_->take(unread_);
    if (!taken) return taken.error();
    unread_.erase(0, *taken);
    return true;
}

Result<void> EventConnection::read(const std::function<bool(const Event&)>& show, const std::function<void()>& begun,
                                   const std::function<void()>& between) {
    bool has_begun = false;
    while (true) {
        const std::string text = reader_->take_text();
        if (!text.empty() && !std::exchange(has_begun, true) && begun) begun();
        if (!text_.take(text, show)) return {};
        if (between) between();
        const auto received = receive(Deadline(silence_most), &wake_);
        if (!received) return received.error();
        if (!*received) return {};
    }
}

void EventConnection::close() {
    const std::lock_guard alone(socket_lock_);
    socket_.reset();
}

void EventConnection::break_off() {
    const std::lock_guard alone(socket_lock_);
    if (socket_) socket_->shut_down();
}

void EventConnection::interrupt() {
    const std::lock_guard alone(socket_lock_);
    interruption_.come();
    if (socket_) socket_->shut_down();
}

} // namespace credlease::client
