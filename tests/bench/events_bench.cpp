#include "support/daemon/broker_client.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

/// How long after a DELETE of a credential each of 1,000 listeners has been told that its lease ended.
namespace {

using namespace credlease;
using namespace credlease::tests;
using Clock = std::chrono::steady_clock;
using Micros = std::chrono::duration<double, std::micro>;

constexpr std::size_t listeners = 1000;
constexpr std::string_view request = "GET /v1/events HTTP/1.1\r\nHost: credlease\r\n\r\n";

[[noreturn]] void give_up(const char* why) {
    std::fprintf(stderr, "events_bench: %s\n", why);
    std::exit(1);
}

/// Listeners of this process, seen through one epoll set.
class Listeners {
  public:
    explicit Listeners(const std::string& socket) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        socket.copy(address.sun_path, sizeof address.sun_path - 1);
        for (std::size_t i = 0; i < listeners; ++i) {
            const int number = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
            if (::connect(number, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) give_up("connect");
            if (::send(number, request.data(), request.size(), MSG_NOSIGNAL) < 0) give_up("send");
            epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
            if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, number, &event) != 0) give_up("epoll_ctl");
            sockets_.push_back(number);
        }
    }

    /// When each had been sent a text that holds `wanted`.
    std::vector<Clock::time_point> wait_for_all(std::string_view wanted) {
        std::vector<std::string> texts(listeners);
        std::vector<Clock::time_point> came;
        std::array<epoll_event, 256> events{};
        while (came.size() < listeners) {
            const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 20'000);
            if (count <= 0) give_up("not all were told");
            for (int i = 0; i < count; ++i) {
                const auto which = events[static_cast<std::size_t>(i)].data.u64;
                std::array<char, 4096> piece{};
                const auto got = ::recv(sockets_[which], piece.data(), piece.size(), 0);
                if (got <= 0) give_up("a stream ended");
                auto& text = texts[which];
                const bool was_told = text.find(wanted) != std::string::npos;
                text.append(piece.data(), static_cast<std::size_t>(got));
                if (!was_told && text.find(wanted) != std::string::npos) came.push_back(Clock::now());
            }
        }
        return came;
    }

  private:
    int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    std::vector<int> sockets_;
};

} // namespace

int main(int count, char** arguments) {
    const int rounds = count > 1 ? std::atoi(arguments[1]) : 20;
    Daemon daemon;
    if (!daemon.start()) give_up("the broker does not start");
    auto client = client_of(daemon);
    Listeners told(daemon.lease_socket().string());
    (void)told.wait_for_all("id: ");
    std::vector<double> micros;
    for (int round = 0; round < rounds; ++round) {
        const auto id = store_token(client, "told", "tok_bench_0123456789");
        const auto lease =
            ask(client, "POST", "/v1/leases", R"({"credential":"told"})", Client::Door::lease).json.at("lease");
        const auto begun = Clock::now();
        if (ask(client, "DELETE", "/v1/credentials/" + id + "?force=true").status != 204) give_up("no delete");
        for (const auto at : told.wait_for_all(lease.as_string())) micros.push_back(Micros(at - begun).count());
    }
    std::ranges::sort(micros);
    const auto percentile = [&](std::size_t part) { return micros[(micros.size() - 1) * part / 100] / 1000; };
    std::printf("delete to %zu listeners told, %d rounds: p50 %.1f ms, p99 %.1f ms, last %.1f ms\n", listeners, rounds,
                percentile(50), percentile(99), micros.back() / 1000);
    return 0;
}
