#include "closed_loop.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace credlease::bench {
namespace {

using Clock = std::chrono::steady_clock;

int connect_to(const std::string& path) {
    const int made = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un place{};
    place.sun_family = AF_UNIX;
    path.copy(place.sun_path, sizeof place.sun_path - 1);
    if (::connect(made, reinterpret_cast<const sockaddr*>(&place), sizeof place) == 0) return made;
    std::perror(path.c_str());
    std::exit(1);
}

struct Connection {
    int socket = -1;
    std::size_t received = 0;
    std::size_t whole = 0; ///< the reply's size, once it is known
    Clock::time_point sent;
    std::array<char, 16384> bytes{};
};

class Loop {
  public:
    Loop(const std::string& socket, std::size_t connections, End end, Protocol& protocol)
        : protocol_(protocol), end_(end), epoll_(::epoll_create1(EPOLL_CLOEXEC)), connections_(connections) {
        for (std::size_t i = 0; i < connections; ++i) {
            connections_[i].socket = connect_to(socket);
            epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
            ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_[i].socket, &event);
        }
        outcome_.nanoseconds.reserve(1U << 20);
    }

    Outcome run() {
        const auto began = Clock::now();
        last_ = end_.time == std::chrono::nanoseconds::max() ? Clock::time_point::max() : began + end_.time;
        for (std::size_t i = 0; i < connections_.size(); ++i) ask(i, began);
        std::array<epoll_event, 128> ready{};
        while (under_way_ > 0) {
            const int count = ::epoll_wait(epoll_, ready.data(), static_cast<int>(ready.size()), 30'000);
            if (count <= 0) {
                lose(under_way_, "No answer came for 30 s.");
                break;
            }
            for (int i = 0; i < count; ++i) receive(ready[static_cast<std::size_t>(i)].data.u64);
        }
        outcome_.seconds = std::chrono::duration<double>(Clock::now() - began).count();
        for (const auto& connection : connections_) ::close(connection.socket);
        ::close(epoll_);
        return std::move(outcome_);
    }

  private:
    void ask(std::size_t i, Clock::time_point now) {
        if (sent_ >= end_.requests || now >= last_) return;
        auto& connection = connections_[i];
        const auto request = protocol_.request(i);
        outcome_.request_size = request.size();
        connection.received = connection.whole = 0;
        connection.sent = now;
        ++sent_;
        ++under_way_;
        if (::send(connection.socket, request.data(), request.size(), MSG_NOSIGNAL) !=
            static_cast<ssize_t>(request.size()))
            lose(1, "A request could not be sent.");
    }

    void receive(std::size_t i) {
        auto& connection = connections_[i];
        const auto size = ::read(connection.socket, connection.bytes.data() + connection.received,
                                 connection.bytes.size() - connection.received);
        if (size <= 0) {
            ::epoll_ctl(epoll_, EPOLL_CTL_DEL, connection.socket, nullptr);
            lose(1, "A connection was closed.");
            return;
        }
        connection.received += static_cast<std::size_t>(size);
        const std::string_view received(connection.bytes.data(), connection.received);
        if (connection.whole == 0) connection.whole = protocol_.reply_size(received);
        if (connection.whole == 0 || connection.received < connection.whole) return;
        const auto now = Clock::now();
        take(i, received, now);
        ask(i, now);
    }

    void take(std::size_t i, std::string_view reply, Clock::time_point now) {
        const auto& connection = connections_[i];
        --under_way_;
        outcome_.reply_size = connection.whole;
        if (connection.received == connection.whole && protocol_.check(i, reply)) {
            const std::chrono::nanoseconds took = now - connection.sent;
            outcome_.nanoseconds.push_back(static_cast<std::uint32_t>(took.count()));
        } else {
            ++under_way_;
            lose(1, reply);
        }
    }

    void lose(std::size_t requests, std::string_view complaint) {
        outcome_.errors += requests;
        under_way_ -= requests;
        if (outcome_.complaint.empty()) outcome_.complaint = complaint;
    }

    Protocol& protocol_;
    End end_;
    int epoll_;
    std::vector<Connection> connections_;
    Clock::time_point last_;
    std::uint64_t sent_ = 0;
    std::size_t under_way_ = 0;
    Outcome outcome_;
};

} // namespace

Outcome run_closed_loop(const std::string& socket, std::size_t connections, End end, Protocol& protocol) {
    return Loop(socket, connections, end, protocol).run();
}

} // namespace credlease::bench
