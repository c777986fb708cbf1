#include "closed_loop.hpp"

#include <array>
#include <barrier>
#include <cstdio>
#include <cstdlib>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace credlease::bench {
namespace {

using Clock = std::chrono::steady_clock;

int connect_to(const std::string& path) {
    const int made = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un place{};
    place.sun_family = AF_UNIX;
    path.copy(place.sun_path, sizeof place.sun_path - 1);
    const timeval patience{.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (::connect(made, reinterpret_cast<const sockaddr*>(&place), sizeof place) == 0) return made;
    std::perror(path.c_str());
    std::exit(1);
}

class Connection {
  public:
    Connection(const std::string& path, std::unique_ptr<Protocol> protocol)
        : protocol_(std::move(protocol)), socket_(connect_to(path)) {
        outcome_.nanoseconds.reserve(1U << 17);
    }
    ~Connection() { ::close(socket_); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void run(Clock::time_point first, Clock::time_point last, const End& end) {
        auto due = first;
        for (std::uint64_t sent = 0; sent < end.requests; ++sent, due += end.beat) {
            const bool is_behind = Clock::now() > due; // what waits for the answer before it counts as asked in time
            if (!is_behind) std::this_thread::sleep_until(due);
            const auto asked = end.beat.count() != 0 && is_behind ? due : Clock::now();
            if (asked >= last || !exchange()) return;
            const std::chrono::nanoseconds took = Clock::now() - asked;
            outcome_.nanoseconds.push_back(static_cast<std::uint32_t>(took.count()));
        }
    }
    /// The first request, for which the server looks who asks: on a beat, those behind it would wait for that.
    void meet() { (void)exchange(); }
    [[nodiscard]] const Outcome& outcome() const { return outcome_; }

  private:
    /// False when nothing more can be asked: a wrong answer or a lost connection.
    bool exchange() {
        const auto request = protocol_->request();
        outcome_.request_size = request.size();
        if (::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
            return fail("A request could not be sent.");
        }
        std::size_t received = 0, whole = 0;
        while (whole == 0 || received < whole) {
            const auto size = ::read(socket_, bytes_.data() + received, bytes_.size() - received);
            if (size <= 0) return fail("A connection was closed, or no answer came for 30 s.");
            received += static_cast<std::size_t>(size);
            if (whole == 0) whole = protocol_->reply_size({bytes_.data(), received});
        }
        outcome_.reply_size = whole;
        const std::string_view reply(bytes_.data(), received);
        return (received == whole && protocol_->check(reply)) || fail(reply);
    }

    bool fail(std::string_view complaint) {
        ++outcome_.errors;
        outcome_.complaint = complaint;
        return false;
    }

    std::unique_ptr<Protocol> protocol_;
    int socket_;
    std::array<char, 16384> bytes_{};
    Outcome outcome_;
};

void add(Outcome& sum, const Outcome& one) {
    sum.nanoseconds.insert(sum.nanoseconds.end(), one.nanoseconds.begin(), one.nanoseconds.end());
    sum.errors += one.errors;
    sum.request_size = one.request_size;
    sum.reply_size = one.reply_size;
    if (sum.complaint.empty()) sum.complaint = one.complaint;
}

} // namespace

Outcome run_closed_loop(const std::string& socket, std::size_t connections, End end,
                        const std::function<std::unique_ptr<Protocol>(std::size_t connection)>& make) {
    std::vector<std::unique_ptr<Connection>> all;
    for (std::size_t i = 0; i < connections; ++i) all.push_back(std::make_unique<Connection>(socket, make(i)));

    Clock::time_point began, last = Clock::time_point::max(); // once all are ready
    std::barrier ready(static_cast<std::ptrdiff_t>(connections) + 1, [&]() noexcept {
        began = Clock::now();
        if (end.time != std::chrono::nanoseconds::max()) last = began + end.time;
    });
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < connections; ++i) {
        threads.emplace_back([&, i] {
            ::prctl(PR_SET_TIMERSLACK, 1UL); // a beat is kept to the microsecond
            if (end.beat.count() != 0) all[i]->meet();
            ready.arrive_and_wait();
            all[i]->run(began + end.beat * i / connections, last, end);
        });
    }
    ready.arrive_and_wait();
    threads.clear(); // joins
    Outcome sum;
    sum.seconds = std::chrono::duration<double>(Clock::now() - began).count();
    for (const auto& connection : all) add(sum, connection->outcome());
    return sum;
}

} // namespace credlease::bench
