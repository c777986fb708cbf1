#include "client/session.hpp"

#include "client/memory.hpp"
#include "client/refusal.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <array>
#include <sys/random.h>

namespace credlease::client {
namespace {

using namespace std::chrono_literals;

/// How long a broker that was just lost may take to come back.
constexpr auto restart_time = 10s;

Error lost_after_sending() {
    return unreachable("The connection was lost before the answer came: the change may have been made, or not.",
                       "Look at it before you try again.");
}

Error lost_again() { return unreachable("The broker closed the connection without an answer.", "Look into its log."); }

Error timed_out() {
    return unreachable("The broker did not answer in time.",
                       "Look into its log; the request may still have been done.");
}

} // namespace

bool may_be_resent(const Message& message) {
    if (!message.if_match.empty()) return false;
    if (message.method == "DELETE") {
        return message.path.starts_with("/v1/leases/") || message.path.starts_with("/v1/grants/");
    }
    return message.method == "GET" || message.method == "PUT" || message.method == "PATCH" ||
           !message.idempotency_key.empty();
}

std::string make_idempotency_key() {
    std::array<unsigned char, 16> random{};
    std::size_t filled = 0;
    while (filled < random.size()) {
        const ssize_t got = getrandom(random.data() + filled, random.size() - filled, 0);
        if (got > 0) filled += static_cast<std::size_t>(got);
    }
    constexpr std::string_view digits = "0123456789abcdef";
    std::string key;
    for (const unsigned char byte : random) {
        key += digits[byte >> 4];
        key += digits[byte & 15];
    }
    return key;
}

Result<Reply> Session::exchange(const Message& message) { return exchange(message, settings_.timeout); }

Result<Reply> Session::exchange(const Message& message, std::chrono::milliseconds timeout) {
    const std::lock_guard alone(exchange_lock_);
    try {
        return exchange_within(message, Deadline(timeout));
    } catch (...) {
        disconnect(); // the answer that is still to come must not be taken for the next one's
        throw;
    }
}

Result<Reply> Session::exchange_within(Message message, const Deadline& deadline) {
    message.actor = settings_.actor;
    message.grant = settings_.grant.get();
    const auto head = write_head(message);
    if (!head) return head.error();

    if (!socket_) {
        if (auto connected = connect(deadline); !connected) return connected.error();
    }
    auto first = attempt(*head, message, deadline);
    if (first.outcome) return std::move(*first.outcome);
    if (first.was_sent && !may_be_resent(message)) return lost_after_sending();

    if (auto connected = connect_again(deadline); !connected) return connected.error();
    auto second = attempt(*head, message, deadline);
    if (second.outcome) return std::move(*second.outcome);
    return second.was_sent && !may_be_resent(message) ? lost_after_sending() : lost_again();
}

Session::Attempt Session::attempt(const secret::SecretBuffer& head, const Message& message, const Deadline& deadline) {
    const auto send = [&](std::string_view body) {
        return head.expose([&](std::span<const std::byte> bytes) {
            const std::array texts = {secret::as_text(bytes), body};
            return socket_->send(texts, deadline);
        });
    };
    const auto sent =
        message.secret_body == nullptr
            ? send(message.body)
            : message.secret_body->expose([&](std::span<const std::byte> body) { return send(secret::as_text(body)); });
    Attempt made;
    if (sent.outcome == Socket::Outcome::timed_out) {
        made.outcome = timed_out();
    } else if (sent.outcome == Socket::Outcome::done) {
        made = receive(message.secret_answer, deadline);
    }
    made.was_sent = sent.all;
    if (!made.outcome || !made.outcome->ok()) {
        // What arrives late on this connection must not be taken for the answer to the next request.
        const bool answered = made.outcome && made.outcome->error().status != 0;
        if (!answered) disconnect();
    }
    return made;
}

Session::Attempt Session::receive(bool secret_answer, const Deadline& deadline) {
    ReplyReader reader(secret_answer ? ReplyReader::Body::secret : ReplyReader::Body::text);
    GrowingSecret bytes(wire::limits::header_block);
    while (!reader.is_done()) {
        if (auto reserved = bytes.reserve(wire::limits::header_block - bytes.size()); !reserved) {
            return {.outcome = reserved.error()};
        }
        auto outcome = Socket::Outcome::lost;
        bytes.fill([&](char* room, std::size_t size) {
            std::size_t received = 0;
            outcome = socket_->receive(room, size, received, deadline);
            return static_cast<ssize_t>(received);
        });
        if (outcome == Socket::Outcome::timed_out) return {.outcome = timed_out()};
        if (outcome == Socket::Outcome::lost) return {};
        const auto taken = bytes.expose([&](std::string_view text) { return reader.take(text); });
        if (!taken) return {.outcome = taken.error()};
        bytes.drop_front(*taken);
    }
    Reply reply = std::move(reader).reply();
    if (!reply.keeps_alive || bytes.size() > 0) disconnect();
    if (reply.status >= 400) return {.outcome = read_refusal(reply)};
    return {.outcome = std::move(reply)};
}

Result<void> Session::connect(const Deadline& deadline) {
    auto connected = Socket::connect_to(settings_.place, deadline, interruption_);
    if (!connected) return connected.error();
    const std::lock_guard alone(socket_lock_);
    if (interruption_.has_come()) return unreachable("The client is being closed.", "");
    socket_.emplace(std::move(*connected));
    was_reached_ = true;
    return {};
}

Result<void> Session::connect_again(const Deadline& deadline) {
    const Deadline patience = deadline.or_after(restart_time);
    auto pause = 10ms;
    while (true) {
        auto connected = connect(patience);
        const bool may_come_back = !connected && connected.error().code == "unreachable";
        if (!may_come_back || patience.left() < pause || interruption_.comes_within(pause)) return connected;
        pause = std::min<std::chrono::milliseconds>(pause * 2, 500ms);
    }
}

void Session::disconnect() {
    const std::lock_guard alone(socket_lock_);
    socket_.reset();
}

void Session::interrupt() {
    const std::lock_guard alone(socket_lock_);
    interruption_.come();
    if (socket_) socket_->shut_down();
}

} // namespace credlease::client
