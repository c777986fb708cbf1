#include "api/intake.hpp"

#include "wire/limits.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <sys/socket.h>
#include <utility>

namespace credlease::api {
namespace {

namespace limits = wire::limits;
using result::Error;
using result::ErrorCode;
using result::Result;
using secret::SecretBuffer;
using secret::Share;

/// Read at first, into an empty scratch: most requests are smaller, and what a client sends ahead stays in the kernel.
constexpr std::size_t first_read = 4096;

/// What a chunked body takes at first; then twice as much at a time.
constexpr std::size_t least_step = 1024;

constexpr std::array public_texts = {&http::Head::path,     &http::Head::query,
                                     &http::Head::actor,    &http::Head::idempotency_key,
                                     &http::Head::if_match, &http::Head::last_event_id};

Error overloaded() {
    return {.code = ErrorCode::overloaded,
            .sentence = "Too many request bodies are under way for this user.",
            .next_step = "Try again in a moment, with fewer requests at a time.",
            .retry_after_seconds = 1};
}

Error header_too_large() {
    return {.code = ErrorCode::header_too_large,
            .sentence = "The request's headers are too large.",
            .next_step = "Send at most 16 KiB of them."};
}

/// The head with texts of its own: those in the scratch are about to go.
Result<std::unique_ptr<KeptHead>> keep(const http::Head& head, secret::Arena& arena) {
    auto kept = std::make_unique<KeptHead>();
    kept->head = head;
    auto grant = SecretBuffer::copy(arena, head.grant, Share::bodies);
    if (!grant) return result::refuse(std::move(grant.error()));
    kept->grant = std::move(*grant);

    for (const auto text : public_texts) kept->texts += head.*text;
    std::size_t at = 0;
    for (const auto text : public_texts) {
        const std::size_t size = (head.*text).size();
        kept->head.*text = std::string_view(kept->texts).substr(at, size);
        at += size;
    }
    kept->head.grant = kept->head.host = kept->head.cookie = {};
    return kept;
}

std::size_t body_most(const Connection& connection) {
    return connection.door == Door::lease ? limits::lease_body : limits::admin_body;
}

void send_continue(int socket) {
    constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
    // Without it the client sends its body all the same after a while (RFC 9110 §10.1.1).
    (void)!::send(socket, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

Intake::Came came(attestation::Received::Kind kind) {
    using Kind = attestation::Received::Kind;
    switch (kind) {
    case Kind::bytes:
        return Intake::Came::bytes;
    case Kind::nothing_yet:
        return Intake::Came::nothing;
    case Kind::stranger:
        return Intake::Came::stranger;
    case Kind::end:
    case Kind::failed:
        return Intake::Came::end;
    }
    return Intake::Came::end;
}

} // namespace

Intake::Intake(secret::Arena& arena) : arena_(arena), scratch_(arena.allocate(limits::header_block, Share::bodies)) {
    if (scratch_.empty()) throw std::bad_alloc();
}

Intake::~Intake() { arena_.release(scratch_); }

std::string_view Intake::window() const { return secret::as_text(scratch_.subspan(at_, filled_ - at_)); }

void Intake::load(Connection& connection) {
    if (connection.held.empty()) return;
    connection.held.expose([this](std::span<const std::byte> bytes) {
        std::memcpy(scratch_.data(), bytes.data(), bytes.size());
        filled_ = bytes.size();
    });
    connection.account->received -= charge_of(connection.held);
    connection.held.reset();
}

Intake::Came Intake::receive(Connection& connection) {
    if (connection.phase == Phase::reading_body && !connection.head->chunks) return receive_body(connection);
    load(connection);
    const std::size_t room = filled_ == 0 ? first_read : scratch_.size() - filled_;
    const auto got =
        attestation::receive(connection.socket.number(), *connection.peer, scratch_.subspan(filled_, room));
    filled_ += got.size;
    return came(got.kind);
}

Intake::Came Intake::receive_body(Connection& connection) {
    return connection.body.expose_to_write([&](std::span<std::byte> bytes) {
        const auto got =
            attestation::receive(connection.socket.number(), *connection.peer, bytes.subspan(connection.body_received));
        connection.body_received += static_cast<std::uint32_t>(got.size);
        return came(got.kind);
    });
}

Intake::Found Intake::refuse(Error error) {
    why_ = std::move(error);
    at_ = filled_;
    return Found::refused;
}

void Intake::fill(Request& request, Connection& connection, const http::Head& head) {
    connection.without_body = head.without_body;
    request.door = connection.door;
    request.method = head.method;
    request.path = head.path;
    request.query = head.query;
    request.grant = head.grant;
    request.actor = head.actor;
    request.idempotency_key = head.idempotency_key;
    request.if_match = head.if_match;
    request.last_event_id = head.last_event_id;
    request.peer = connection.peer;
    request.intake = this;
    request.connection = &connection;
}

Intake::Found Intake::next(Connection& connection, Request& request) {
    if (connection.phase == Phase::reading_body) {
        if (connection.head->chunks) return read_chunks(connection, request);
        if (connection.body_received < connection.body.size()) return Found::part;
        fill(request, connection, connection.head->head);
        return Found::request;
    }
    const std::string_view bytes = window();
    if (bytes.empty()) return Found::nothing;
    const auto block = http::find_head(bytes);
    if (!block) return refuse(block.error());
    if (!*block) return bytes.size() < scratch_.size() ? Found::part : refuse(header_too_large());
    const auto head = http::read_head(bytes.substr(0, **block));
    if (!head) return refuse(head.error());

    if (head->content_length > body_most(connection)) return refuse(body_too_large());
    connection.after_reply = head->keep_alive ? AfterReply::keep : AfterReply::close;
    at_ += **block;
    const std::string_view rest = window();
    if (head->chunked || rest.size() < head->content_length) return begin_body(connection, *head, request);

    at_ += head->content_length;
    fill(request, connection, *head);
    request.body = rest.substr(0, head->content_length);
    return Found::request;
}

Result<SecretBuffer> Intake::make_buffer(Connection& connection, std::size_t size) const {
    const std::size_t most = arena_.share_size(Share::bodies) / 4;
    std::size_t& received = connection.account->received;
    const std::size_t charge = secret::Arena::slot_size(size);
    if (charge > most) return result::refuse(body_too_large());
    if (received + charge > most) return result::refuse(overloaded());
    auto buffer = SecretBuffer::make(arena_, size, Share::bodies);
    if (buffer) received += charge;
    return buffer;
}

Intake::Found Intake::begin_body(Connection& connection, const http::Head& head, Request& request) {
    auto kept = keep(head, arena_);
    if (!kept) return refuse(std::move(kept.error()));
    connection.head = std::move(*kept);
    connection.body_received = 0;
    connection.phase = Phase::reading_body;
    if (head.chunked) {
        connection.head->chunks.emplace(body_most(connection));
    } else if (auto room = make_room(connection, head.content_length); !room) {
        return refuse(std::move(room.error()));
    }
    if (head.expects_continue && is_empty()) send_continue(connection.socket.number());
    if (head.chunked) return read_chunks(connection, request);
    auto added = append(connection, window());
    at_ = filled_;
    return added ? Found::part : refuse(std::move(added.error()));
}

/// What comes behind the last chunk stays in the scratch: the next request.
Intake::Found Intake::read_chunks(Connection& connection, Request& request) {
    ChunkReader& chunks = *connection.head->chunks;
    while (!is_empty() && !chunks.is_done()) {
        const auto piece = chunks.read(window());
        if (!piece) return refuse(piece.error());
        at_ += piece->taken;
        if (auto added = append(connection, piece->data); !added) return refuse(std::move(added.error()));
    }
    if (!chunks.is_done()) return Found::part;
    connection.body.shrink(connection.body_received);
    fill(request, connection, connection.head->head);
    return Found::request;
}

Result<> Intake::append(Connection& connection, std::string_view data) {
    const std::size_t size = connection.body_received + data.size();
    if (size > connection.body.size()) {
        auto room = make_room(connection, secret::Arena::slot_size(std::max(size, least_step)));
        if (!room) return room;
    }
    connection.body.expose_to_write([&](std::span<std::byte> bytes) {
        std::ranges::copy(secret::as_bytes(data), bytes.subspan(connection.body_received).begin());
    });
    connection.body_received = static_cast<std::uint32_t>(size);
    return {};
}

/// A body that moves to a larger buffer is charged once: the smaller one goes in the same breath.
Result<> Intake::make_room(Connection& connection, std::size_t size) {
    connection.account->received -= std::exchange(connection.body_charged, 0);
    auto larger = make_buffer(connection, size);
    if (!larger) return result::refuse(std::move(larger.error()));
    connection.body_charged = static_cast<std::uint32_t>(charge_of(*larger));
    larger->expose_to_write([&](std::span<std::byte> to) {
        connection.body.expose([&](std::span<const std::byte> from) { std::ranges::copy(from, to.begin()); });
    });
    connection.body = std::move(*larger);
    return {};
}

Result<SecretBuffer> Intake::copy_body(Connection& connection, std::string_view body) {
    if (connection.phase != Phase::answering) return SecretBuffer::copy(arena_, body, Share::bodies);
    auto buffer = make_buffer(connection, body.size());
    if (!buffer) return buffer;
    connection.body_charged += static_cast<std::uint32_t>(charge_of(*buffer));
    buffer->expose_to_write(
        [body](std::span<std::byte> bytes) { std::ranges::copy(secret::as_bytes(body), bytes.begin()); });
    return buffer;
}

bool Intake::settle(Connection& connection) {
    bool kept = true;
    if (!is_empty()) {
        auto buffer = make_buffer(connection, filled_ - at_);
        kept = buffer.has_value();
        if (kept) {
            buffer->expose_to_write(
                [this](std::span<std::byte> bytes) { std::memcpy(bytes.data(), scratch_.data() + at_, bytes.size()); });
            connection.held = std::move(*buffer);
        }
    }
    discard();
    return kept;
}

void Intake::discard() {
    secret::wipe(scratch_.first(filled_));
    at_ = filled_ = 0;
}

} // namespace credlease::api
