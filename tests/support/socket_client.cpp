#include "support/socket_client.hpp"

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
namespace {

using Clock = std::chrono::steady_clock;

std::string in_lower_case(std::string_view text) {
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    return lower;
}

std::size_t to_number(std::string_view text) {
    std::size_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

void read_headers(std::string_view lines, Response& response) {
    while (!lines.empty()) {
        const std::string_view line = lines.substr(0, lines.find("\r\n"));
        lines.remove_prefix(std::min(line.size() + 2, lines.size()));
        const std::size_t colon = line.find(": ");
        if (colon == std::string_view::npos) continue;
        response.headers[in_lower_case(line.substr(0, colon))] = line.substr(colon + 2);
    }
}

} // namespace

std::string Response::header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
}

std::string request_text(std::string_view method, std::string_view target, std::string_view body,
                         std::string_view headers) {
    std::string text;
    text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: credlease\r\n").append(headers);
    if (!body.empty()) {
        text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    }
    return text.append("\r\n").append(body);
}

SocketClient::SocketClient(const std::filesystem::path& socket)
    : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket.string().copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const int error = errno;
        close();
        throw std::system_error(error, std::generic_category(), socket.string());
    }
}

SocketClient::SocketClient(SocketClient&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), read_(std::move(other.read_)), is_head_(other.is_head_) {}

bool SocketClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

SocketClient::Came SocketClient::read_more(Clock::time_point until) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd state{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&state, 1, static_cast<int>(std::max<std::int64_t>(left, 0))) == 0) return Came::nothing;
    std::array<char, 65536> bytes{};
    const ssize_t got = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (got <= 0) return Came::end;
    read_.append(bytes.data(), static_cast<std::size_t>(got));
    return Came::bytes;
}

std::optional<std::size_t> SocketClient::read_head(Response& response, Clock::time_point until) {
    std::size_t end = std::string::npos;
    while ((end = read_.find("\r\n\r\n")) == std::string::npos) {
        if (read_more(until) != Came::bytes) return std::nullopt;
    }
    const std::string_view head = std::string_view(read_).substr(0, end);
    if (!head.starts_with("HTTP/1.1 ")) return std::nullopt;
    response.status = static_cast<unsigned>(to_number(head.substr(9, 3)));
    read_headers(head, response);
    return end + 4;
}

std::optional<Response> SocketClient::receive(std::chrono::milliseconds patience) {
    const auto until = Clock::now() + patience;
    Response response;
    const auto head = read_head(response, until);
    if (!head) return std::nullopt;
    const bool has_body = response.status >= 200 && response.status != 204 && !is_head_;
    const std::size_t size = has_body ? to_number(response.header("content-length")) : 0;
    while (read_.size() < *head + size) {
        if (read_more(until) != Came::bytes) return std::nullopt;
    }
    response.body = read_.substr(*head, size);
    read_.erase(0, *head + size);
    return response;
}

std::optional<Response> SocketClient::ask(std::string_view method, std::string_view target, std::string_view body,
                                          std::string_view headers) {
    is_head_ = method == "HEAD";
    send(request_text(method, target, body, headers));
    return receive();
}

bool SocketClient::is_closed_by_peer(std::chrono::milliseconds patience) {
    return read_.empty() && read_more(Clock::now() + patience) == Came::end;
}

bool SocketClient::is_silent(std::chrono::milliseconds patience) {
    return read_.empty() && read_more(Clock::now() + patience) == Came::nothing;
}

void SocketClient::finish_writing() { ::shutdown(socket_, SHUT_WR); }

void SocketClient::close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
}

} // namespace credlease::test
