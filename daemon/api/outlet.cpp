#include "api/outlet.hpp"

#include "wire/problem.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <span>
#include <sys/socket.h>

namespace credlease::api {
namespace {

/// What a head is made of.
struct Lines {
    unsigned status = 200;
    bool close = false;
    std::string_view content_type = "application/json";
    std::string_view location{};
    std::string_view allow{};
    std::optional<std::uint64_t> etag{};
    std::optional<std::uint32_t> retry_after{};
};

Lines lines_of(const Reply& reply) {
    return {reply.status, reply.close, reply.content_type, reply.location, reply.allow, reply.etag, reply.retry_after};
}

/// The head of a reply, written by hand (RFC 9112 §4).
class ReplyHead {
  public:
    /// Without a `body_size` the body ends with the connection.
    ReplyHead(const Lines& reply, std::optional<std::size_t> body_size, const vocabulary::RequestId& request) {
        text("HTTP/1.1 ").number(reply.status).text(" ").text(wire::reason_phrase(reply.status));
        if (reply.status != 204) text("\r\nContent-Type: ").text(reply.content_type);
        if (reply.status != 204 && body_size) text("\r\nContent-Length: ").number(*body_size);
        text("\r\nCredlease-Request-Id: ");
        request.write_text(take(vocabulary::RequestId::text_size));
        text("\r\nCache-Control: no-store");
        if (reply.etag) text("\r\nETag: \"").number(*reply.etag).text("\"");
        if (is_header_value(reply.location)) text("\r\nLocation: ").text(reply.location);
        if (is_header_value(reply.allow)) text("\r\nAllow: ").text(reply.allow);
        if (reply.retry_after) text("\r\nRetry-After: ").number(*reply.retry_after);
        if (reply.close) text("\r\nConnection: close");
        text("\r\n\r\n");
    }

    [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }

  private:
    /// Neither empty nor able to end the line; short enough that the head has room for it.
    static bool is_header_value(std::string_view value) {
        const auto is_plain = [](char c) { return c >= 0x20 && c < 0x7f; };
        return !value.empty() && value.size() <= 512 && std::ranges::all_of(value, is_plain);
    }
    char* take(std::size_t size) {
        char* const taken = bytes_.data() + size_;
        size_ += size;
        return taken;
    }
    ReplyHead& text(std::string_view text) {
        std::memcpy(take(text.size()), text.data(), text.size());
        return *this;
    }
    ReplyHead& number(std::uint64_t number) {
        const auto end = std::to_chars(bytes_.data() + size_, bytes_.data() + bytes_.size(), number).ptr;
        size_ = static_cast<std::size_t>(end - bytes_.data());
        return *this;
    }

    std::array<char, 1536> bytes_; // two values of 512 bytes and less than 512 of our own
    std::size_t size_ = 0;
};

iovec piece(std::string_view text) {
    // sendmsg(2) only reads what iov_base points to
    return {.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
}

/// What is copied for a slow reader before others have their turn: some 10 microseconds' worth.
constexpr std::size_t resumed_at_once = std::size_t{32} << 10;

/// How many bytes the kernel took; nullopt when the connection is broken.
std::optional<std::size_t> send_pieces(int socket, std::span<iovec> pieces) {
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    ssize_t sent = -1;
    do sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EAGAIN) return 0;
    return std::nullopt;
}

std::optional<std::size_t> send_pieces(int socket, std::string_view first, std::string_view second) {
    std::array<iovec, 2> pieces{piece(first), piece(second)};
    return send_pieces(socket, std::span(pieces).first(second.empty() ? 1 : 2));
}

std::optional<std::size_t> send_with_secret(int socket, std::string_view text, const secret::SecretBuffer& secret,
                                            std::size_t secret_sent, std::size_t most = std::string_view::npos) {
    text = text.substr(0, most);
    return secret.expose([&](std::span<const std::byte> bytes) {
        return send_pieces(socket, text, secret::as_text(bytes.subspan(secret_sent)).substr(0, most - text.size()));
    });
}

bool has_room(std::size_t held, std::size_t more, std::size_t most) {
    return more == 0 || held == 0 || held + more <= most;
}

} // namespace

Outlet::Sent Outlet::send(Connection& connection, const vocabulary::RequestId& request, Reply reply) {
    const ReplyHead head(lines_of(reply), reply.body.size(), request);
    const std::string_view body = connection.without_body ? std::string_view{} : reply.body;
    const auto sent = send_pieces(connection.socket.number(), head.view(), body);
    if (!sent) return Sent::failed;
    if (*sent == head.view().size() + body.size()) return Sent::all;

    if (*sent < head.view().size()) { // so full is the socket; the body begins where the head ends
        std::string rest(head.view().substr(*sent));
        return keep(connection, {.text = rest.append(body)});
    }
    return keep(connection, {.text = std::move(reply.body), .text_sent = *sent - head.view().size()});
}

Outlet::Sent Outlet::send_secret(Connection& connection, const vocabulary::RequestId& request, const SecretReply& reply,
                                 secret::SecretBuffer body) {
    const ReplyHead head({.status = reply.status, .close = reply.close, .location = reply.location}, body.size(),
                         request);
    if (connection.without_body) body.reset();
    const auto sent = send_with_secret(connection.socket.number(), head.view(), body, 0);
    if (!sent) return Sent::failed;
    if (*sent == head.view().size() + body.size()) return Sent::all;

    const std::size_t of_head = std::min(*sent, head.view().size());
    return keep(
        connection,
        {.text = std::string(head.view().substr(of_head)), .secret = std::move(body), .secret_sent = *sent - of_head});
}

/// What the kernel did not take, charged to the uid: a client that asks and never reads must not fill the memory.
Outlet::Sent Outlet::keep(Connection& connection, Unsent unsent) const {
    Account& account = *connection.account;
    unsent.text_charged = unsent.text.empty() ? 0 : unsent.text.capacity();
    unsent.secret_charged = charge_of(unsent.secret);
    if (!has_room(account.unsent_text, unsent.text_charged, unsent_most_.text)) return Sent::failed;
    if (!has_room(account.unsent_secrets, unsent.secret_charged, unsent_most_.secrets)) return Sent::failed;
    account.unsent_text += unsent.text_charged;
    account.unsent_secrets += unsent.secret_charged;
    connection.unsent = std::make_unique<Unsent>(std::move(unsent));
    return Sent::partly;
}

Outlet::Sent Outlet::resume(Connection& connection) {
    Unsent& rest = *connection.unsent;
    const std::string_view text = std::string_view(rest.text).substr(rest.text_sent);
    const auto sent =
        send_with_secret(connection.socket.number(), text, rest.secret, rest.secret_sent, resumed_at_once);
    if (!sent) return Sent::failed;
    const std::size_t of_text = std::min(*sent, text.size());
    rest.text_sent += of_text;
    rest.secret_sent += *sent - of_text;
    if (*sent < text.size() || rest.secret_sent < rest.secret.size()) return Sent::partly;

    forget_unsent(connection);
    return Sent::all;
}

bool Outlet::send_stream_head(Connection& connection, const vocabulary::RequestId& request) {
    const ReplyHead head({.close = true, .content_type = "text/event-stream"}, std::nullopt, request);
    const auto sent = send_pieces(connection.socket.number(), head.view(), {});
    return sent && *sent == head.view().size(); // whoever reads so little gets no events either
}

Outlet::Sent Outlet::send_events(Connection& connection) {
    Streaming& stream = *connection.stream;
    while (!stream.texts.empty()) {
        std::array<iovec, 64> pieces;
        std::size_t count = 0, offered = 0;
        for (const auto& text : stream.texts) {
            if (count == pieces.size()) break;
            pieces[count] = piece(std::string_view(*text).substr(count == 0 ? stream.sent : 0));
            offered += pieces[count++].iov_len;
        }
        const auto sent = send_pieces(connection.socket.number(), std::span(pieces).first(count));
        if (!sent) return Sent::failed;
        stream.unsent -= *sent;
        stream.sent += *sent;
        while (!stream.texts.empty() && stream.sent >= stream.texts.front()->size()) {
            stream.sent -= stream.texts.front()->size();
            stream.texts.pop_front();
        }
        if (*sent < offered) return Sent::partly;
    }
    return Sent::all;
}

void Outlet::send_once(int socket, const vocabulary::RequestId& request, const Reply& reply) {
    const ReplyHead head(lines_of(reply), reply.body.size(), request);
    (void)send_pieces(socket, head.view(), reply.body);
}

} // namespace credlease::api
