#pragma once

#include <algorithm>
#include <arpa/inet.h>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace credlease::test {

/// A connection to a port of 127.0.0.1.
class LoopbackSocket {
  public:
    explicit LoopbackSocket(std::uint16_t port) : number_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const timeval patience{.tv_sec = 60, .tv_usec = 0};
        ::setsockopt(number_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        is_connected_ = ::connect(number_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    }
    ~LoopbackSocket() { ::close(number_); }
    LoopbackSocket(const LoopbackSocket&) = delete;
    LoopbackSocket& operator=(const LoopbackSocket&) = delete;

    [[nodiscard]] bool is_connected() const { return is_connected_; }
    bool send(std::string_view bytes) const {
        return ::send(number_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
    }
    /// All that comes until the other end closes.
    [[nodiscard]] std::string read_all() const {
        std::string all;
        char part[4096];
        for (ssize_t got = 0; (got = ::recv(number_, part, sizeof part, 0)) > 0;) {
            all.append(part, static_cast<std::size_t>(got));
        }
        return all;
    }

  private:
    int number_;
    bool is_connected_ = false;
};

/// A port that nobody listens on.
[[nodiscard]] inline std::uint16_t free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(socket, reinterpret_cast<const sockaddr*>(&address), size);
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(socket);
    return ntohs(address.sin_port);
}

/// What a browser is answered; status 0: nobody listens, or nothing came.
struct PageAnswer {
    unsigned status = 0;
    std::map<std::string, std::string> headers{}; ///< by their names as they are sent
    std::string body{};

    [[nodiscard]] std::string header(const std::string& name) const {
        const auto found = headers.find(name);
        return found == headers.end() ? std::string() : found->second;
    }
    /// "name=value" of Set-Cookie.
    [[nodiscard]] std::string cookie() const {
        const auto set = header("Set-Cookie");
        return set.substr(0, set.find(';'));
    }
    [[nodiscard]] bool says(std::string_view text) const { return body.find(text) != std::string::npos; }
};

[[nodiscard]] inline PageAnswer read_page(const std::string& bytes) {
    PageAnswer answer;
    if (!bytes.starts_with("HTTP/1.1 ")) return answer;
    answer.status = static_cast<unsigned>(std::stoul(bytes.substr(9, 3)));
    const auto end = bytes.find("\r\n\r\n");
    for (std::size_t at = bytes.find("\r\n") + 2; at < end;) {
        const auto line = bytes.substr(at, bytes.find("\r\n", at) - at);
        const auto colon = line.find(": ");
        answer.headers[line.substr(0, colon)] = line.substr(colon + 2);
        at += line.size() + 2;
    }
    answer.body = bytes.substr(end + 4);
    return answer;
}

/// What a browser asks for.
struct PageRequest {
    std::string target{};
    std::string cookie{};
    std::string host{}; ///< empty: the port's own
    std::string method = "GET";
};
[[nodiscard]] inline std::string text_of(std::uint16_t port, const PageRequest& asked) {
    const auto host = asked.host.empty() ? "127.0.0.1:" + std::to_string(port) : asked.host;
    const auto cookie = asked.cookie.empty() ? std::string() : "Cookie: " + asked.cookie + "\r\n";
    return asked.method + " " + asked.target + " HTTP/1.1\r\nHost: " + host + "\r\n" + cookie + "\r\n";
}
[[nodiscard]] inline PageAnswer get_page(std::uint16_t port, const PageRequest& asked) {
    const LoopbackSocket socket(port);
    if (!socket.is_connected() || !socket.send(text_of(port, asked))) return {};
    return read_page(socket.read_all());
}

/// The path and query of an address.
[[nodiscard]] inline std::string target_of(const std::string& url) {
    return url.substr(std::min(url.find('/', url.find("://") + 3), url.size()));
}

} // namespace credlease::test
