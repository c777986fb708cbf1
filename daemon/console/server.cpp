#include "console/server.hpp"

#include "wire/limits.hpp"

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>

namespace credlease::console {
namespace {

using namespace std::chrono_literals;
using result::ErrorCode;
using result::refuse;
namespace limits = wire::limits;

constexpr std::size_t connections_most = 32;
constexpr std::size_t first_room = 4096; ///< for a request's head: most are smaller
constexpr auto between_accepts = 2ms;    ///< a browser needs few connections; a flood must not have the loop's turns
constexpr auto between_reads = 10ms;     ///< of a head that comes in pieces
constexpr auto request_may_take = limits::request_time;

using LoopDescriptor = boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

/// False when the descriptor was closed, or its task was cancelled.
runtime::Task<bool> ready(LoopDescriptor& socket, LoopDescriptor::wait_type what) {
    boost::system::error_code failed;
    co_await socket.async_wait(what, boost::asio::redirect_error(boost::asio::use_awaitable, failed));
    co_return !failed;
}

struct Address {
    sockaddr_storage bytes{};
    socklen_t size = 0;
};

/// Of what the config has checked.
Address address_of(const std::string& text) {
    Address made;
    const auto colon = text.rfind(':');
    const auto port = htons(static_cast<std::uint16_t>(std::stoul(text.substr(colon + 1))));
    if (text.starts_with('[')) {
        auto& six = reinterpret_cast<sockaddr_in6&>(made.bytes);
        six.sin6_family = AF_INET6;
        six.sin6_port = port;
        ::inet_pton(AF_INET6, text.substr(1, colon - 2).c_str(), &six.sin6_addr);
        made.size = sizeof six;
    } else {
        auto& four = reinterpret_cast<sockaddr_in&>(made.bytes);
        four.sin_family = AF_INET;
        four.sin_port = port;
        ::inet_pton(AF_INET, text.substr(0, colon).c_str(), &four.sin_addr);
        made.size = sizeof four;
    }
    return made;
}

result::Failure cannot_listen(const std::string& address, int why) {
    result::Error error{.code = ErrorCode::configuration,
                        .sentence = "The page that browsers come back to cannot be served on its address.",
                        .next_step = "Paste the address that the browser is sent to; or change [outbound] callback.",
                        .about = result::PublicText::of(address + ": " + std::strerror(why))};
    if (why == EADDRINUSE) {
        error.sentence = "Another program has the address that browsers come back to.";
        error.next_step = "Paste the address that the browser is sent to; or stop that program, or change [outbound] "
                          "callback.";
        error.about = result::PublicText::of(address);
    }
    return refuse(std::move(error));
}

int open_listening(const Address& address) {
    const int socket = ::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0) return -1;
    const int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const auto* const place = reinterpret_cast<const sockaddr*>(&address.bytes);
    if (::bind(socket, place, address.size) == 0 && ::listen(socket, connections_most) == 0) return socket;
    const int why = errno;
    ::close(socket);
    errno = why;
    return -1;
}

} // namespace

struct Server::Door {
    Door(runtime::Loop& loop, int number) : socket(loop.context().get_executor(), number) {}
    LoopDescriptor socket;
};

/// Closed when the last who has to do with it lets go.
struct Server::Connection {
    Connection(Server& of, int number)
        : server(&of), socket(of.loop_.context().get_executor(), number),
          place(of.connections_.insert(of.connections_.end(), this)) {}
    ~Connection() {
        if (server == nullptr) return;
        stop_deadline();
        server->connections_.erase(place);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void stop_deadline() {
        if (deadline != 0) server->clock_.cancel(std::exchange(deadline, 0));
    }

    Server* server; ///< null once it has gone
    LoopDescriptor socket;
    std::list<Connection*>::iterator place;
    std::uint64_t deadline = 0;
    bool is_reading = true;
    secret::SecretBuffer head{}; ///< of its request, while that comes
    std::size_t filled = 0;
    Reply reply{}; ///< what is sent of it, when the browser takes it slowly
    std::size_t sent = 0;
};

Server::Server(runtime::Loop& loop, runtime::Clock& clock, secret::Arena& arena, Handler handler)
    : loop_(loop), clock_(clock), arena_(arena), handler_(std::move(handler)), tasks_(loop) {}

Server::~Server() {
    for (auto* const left : connections_) {
        left->stop_deadline();
        left->server = nullptr;
    }
}

result::Result<> Server::listen(const std::string& address) {
    if (door_ && address == address_) return {};
    stop_listening();
    const int socket = open_listening(address_of(address));
    if (socket < 0) return cannot_listen(address, errno);
    door_ = std::make_shared<Door>(loop_, socket);
    address_ = address;
    tasks_.start(accept(door_));
    return {};
}

void Server::stop_listening() {
    if (auto door = std::exchange(door_, nullptr)) door->socket.close();
}

runtime::Task<> Server::close() {
    stop_listening();
    co_await tasks_.close();
}

runtime::Task<> Server::pause(std::chrono::milliseconds time) { return clock_.sleep_until(clock_.boot() + time); }

runtime::Task<> Server::accept(std::shared_ptr<Door> door) {
    while (co_await ready(door->socket, LoopDescriptor::wait_read)) {
        const int socket = ::accept4(door->socket.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket >= 0) admit(socket);
        co_await pause(between_accepts);
        if (!door->socket.is_open()) co_return;
    }
}

/// Whoever is silent makes place for who comes.
bool Server::make_place() {
    if (connections_.size() < connections_most) return true;
    const auto silent = std::ranges::find_if(connections_, [](const auto* one) { return one->is_reading; });
    if (silent == connections_.end()) return false;
    (*silent)->is_reading = false;
    (*silent)->socket.close();
    return true;
}

void Server::admit(int socket) {
    if (!make_place()) {
        ::close(socket);
        return;
    }
    auto connection = std::make_shared<Connection>(*this, socket);
    start_deadline(connection);
    tasks_.start(serve(std::move(connection)));
}

void Server::start_deadline(const ConnectionRef& connection) {
    connection->stop_deadline();
    connection->deadline = clock_.call_at(clock_.boot() + request_may_take, [weak = std::weak_ptr(connection)] {
        const auto late = weak.lock();
        if (!late) return;
        late->deadline = 0;
        late->socket.close();
    });
}

runtime::Task<> Server::serve(ConnectionRef connection) {
    auto request = co_await read(connection);
    connection->is_reading = false;
    connection->head.reset();
    connection->stop_deadline();
    if (request && !*request) co_return;
    if (request) {
        handler_(std::move(**request), [this, connection](Reply reply) { answer(connection, std::move(reply)); });
    } else {
        answer(connection, reply_with({.status = 400,
                                       .title = "Not understood",
                                       .paragraphs = {std::string(request.error().sentence.view())}}));
    }
}

result::Result<> Server::make_room(Connection& connection) {
    auto& head = connection.head;
    if (connection.filled < head.size()) return {};
    if (head.size() >= limits::header_block) {
        return refuse({.code = ErrorCode::header_too_large,
                       .sentence = "The request is too large.",
                       .next_step = "Send at most 16 KiB."});
    }
    const std::size_t size = head.empty() ? first_room : limits::header_block;
    std::size_t of_all = size;
    for (const auto* one : connections_) of_all += one->head.size();
    if (of_all > arena_.share_size(secret::Share::bodies) / 4) {
        return refuse({.code = ErrorCode::overloaded,
                       .sentence = "Too many ask at once.",
                       .next_step = "Load the page again in a moment."});
    }
    auto larger = secret::SecretBuffer::make(arena_, size, secret::Share::bodies);
    if (!larger) return refuse(std::move(larger.error()));
    larger->expose_to_write([&](std::span<std::byte> to) {
        head.expose([&](std::span<const std::byte> from) { std::ranges::copy(from, to.begin()); });
    });
    head = std::move(*larger);
    return {};
}

runtime::Task<Server::Read> Server::read(ConnectionRef connection) {
    auto& socket = connection->socket;
    auto& filled = connection->filled;
    while (co_await ready(socket, LoopDescriptor::wait_read)) {
        if (auto made = make_room(*connection); !made) co_return refuse(std::move(made.error()));
        const auto got = connection->head.expose_to_write([&](std::span<std::byte> room) {
            const auto rest = room.subspan(filled);
            return ::recv(socket.native_handle(), rest.data(), rest.size(), MSG_DONTWAIT);
        });
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) break;
        if (got > 0) filled += static_cast<std::size_t>(got);
        auto request = connection->head.expose([&](std::span<const std::byte> bytes) {
            return read_request(secret::as_text(bytes.first(filled)), arena_);
        });
        if (!request || *request) co_return std::move(request);
        co_await pause(between_reads);
        if (!socket.is_open()) break;
    }
    co_return std::nullopt;
}

/// As much as the kernel takes at once: nearly always all of it.
void Server::answer(const ConnectionRef& connection, Reply reply) {
    connection->reply = std::move(reply);
    if (send_some(*connection) == Sent::partly) tasks_.start(send_rest(connection));
}

Server::Sent Server::send_some(Connection& connection) {
    const auto& [text, secret] = connection.reply;
    auto& sent = connection.sent;
    const auto put = [&](std::string_view bytes) {
        return ::send(connection.socket.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    };
    while (connection.socket.is_open() && sent < text.size() + secret.size()) {
        const auto got = sent < text.size() ? put(std::string_view(text).substr(sent))
                                            : secret.expose([&](std::span<const std::byte> bytes) {
                                                  return put(secret::as_text(bytes).substr(sent - text.size()));
                                              });
        if (got < 0 && errno == EAGAIN) return Sent::partly;
        if (got < 0 && errno != EINTR) return Sent::over;
        sent += got > 0 ? static_cast<std::size_t>(got) : 0;
    }
    return Sent::over;
}

runtime::Task<> Server::send_rest(ConnectionRef connection) {
    start_deadline(connection);
    while (co_await ready(connection->socket, LoopDescriptor::wait_write)) {
        if (send_some(*connection) == Sent::over) co_return;
    }
}

} // namespace credlease::console
