#include "outbound/connection.hpp"

#include <cerrno>
#include <sys/socket.h>

namespace credlease::outbound {
namespace {

using Kind = Step::Kind;

/// A socket call that returned `moved`.
Step step_of(ssize_t moved, Kind would_block) {
    if (moved > 0) return {.kind = Kind::done, .count = static_cast<std::size_t>(moved)};
    if (moved == 0) return {.kind = Kind::closed};
    const bool is_early = errno == EAGAIN || errno == EINTR;
    return {.kind = is_early ? would_block : Kind::broken};
}

} // namespace

Tls& Connection::begin_tls(std::shared_ptr<TlsContext> context, const Url& url) {
    return tls_.emplace(std::move(context), url, socket_.native_handle());
}

Step Connection::read(std::span<std::byte> into) {
    if (tls_) return tls_->read(into);
    return step_of(::recv(socket_.native_handle(), into.data(), into.size(), 0), Kind::wants_read);
}

Step Connection::write(std::span<const std::byte> from) {
    if (tls_) return tls_->write(from);
    return step_of(::send(socket_.native_handle(), from.data(), from.size(), MSG_NOSIGNAL), Kind::wants_write);
}

bool Connection::is_quiet() {
    if (tls_ && tls_->holds_unread()) return false;
    char one = 0;
    return ::recv(socket_.native_handle(), &one, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

void Connection::say_end() {
    if (tls_) tls_->close();
}

} // namespace credlease::outbound
