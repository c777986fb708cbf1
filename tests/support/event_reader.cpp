#include "support/event_reader.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace credlease::test {

EventReader::EventReader(const std::filesystem::path& socket, std::string_view headers, bool reads)
    : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket.native().copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw std::system_error(errno, std::generic_category(), "connect");
    }
    std::string text = "GET /v1/events HTTP/1.1\r\nHost: credlease\r\nAccept: text/event-stream\r\n";
    text.append(headers).append("\r\n");
    (void)!::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
    if (!reads) return;
    const auto until = Clock::now() + std::chrono::seconds(10);
    std::size_t end = std::string::npos;
    while ((end = bytes_.find("\r\n\r\n")) == std::string::npos && read_more(until)) {
    }
    if (end == std::string::npos) return;
    head_ = bytes_.substr(0, end + 4);
    bytes_.erase(0, end + 4);
}

EventReader::~EventReader() { close(); }

EventReader::EventReader(EventReader&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), has_ended_(other.has_ended_), head_(std::move(other.head_)),
      bytes_(std::move(other.bytes_)), last_id_(std::move(other.last_id_)), comments_(other.comments_) {}

void EventReader::close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

unsigned EventReader::status() const {
    unsigned status = 0;
    constexpr std::size_t at = std::string_view("HTTP/1.1 ").size();
    if (head_.size() > at) std::from_chars(head_.data() + at, head_.data() + head_.size(), status);
    return status;
}

bool EventReader::read_more(Clock::time_point until) {
    if (has_ended_) return false;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    pollfd waited{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&waited, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0))) <= 0) return false;
    std::array<char, 65536> piece{};
    const auto got = ::recv(socket_, piece.data(), piece.size(), 0);
    if (got <= 0) {
        has_ended_ = true;
        return false;
    }
    bytes_.append(piece.data(), static_cast<std::size_t>(got));
    return true;
}

/// One block of lines, up to an empty one.
bool EventReader::read_block(Clock::time_point until, Event& event) {
    std::size_t end = std::string::npos;
    while ((end = bytes_.find("\n\n")) == std::string::npos) {
        if (!read_more(until)) return false;
    }
    std::string_view block = std::string_view(bytes_).substr(0, end + 1);
    while (!block.empty()) {
        const auto line = block.substr(0, block.find('\n'));
        block.remove_prefix(line.size() + 1);
        if (line.starts_with(':')) ++comments_;
        if (line.starts_with("event: ")) event.type = line.substr(7);
        if (line.starts_with("id: ")) last_id_ = event.id = line.substr(4);
        if (line.starts_with("data: ")) event.data = line.substr(6);
    }
    bytes_.erase(0, end + 2);
    return true;
}

std::optional<EventReader::Event> EventReader::next(std::chrono::milliseconds patience) {
    const auto until = Clock::now() + patience;
    Event event;
    while (read_block(until, event)) {
        if (!event.data.empty()) return event;
        event = {};
    }
    return std::nullopt;
}

bool EventReader::is_listening(std::chrono::milliseconds patience) {
    Event event;
    return read_block(Clock::now() + patience, event) && !last_id_.empty();
}

bool EventReader::ends(std::chrono::milliseconds patience) {
    const auto until = Clock::now() + patience;
    while (read_more(until)) bytes_.clear();
    return has_ended_;
}

} // namespace credlease::test
