// echo_server SOCKET REQUEST_SIZE REPLY_SIZE
//
// What a Unix socket costs without any work behind it: each REQUEST_SIZE bytes of a connection are answered with
// REPLY_SIZE bytes, by one thread on epoll(7).

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

namespace {

int listen_at(const std::string& path) {
    ::unlink(path.c_str());
    const int listening = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_un place{};
    place.sun_family = AF_UNIX;
    path.copy(place.sun_path, sizeof place.sun_path - 1);
    if (::bind(listening, reinterpret_cast<const sockaddr*>(&place), sizeof place) != 0) return -1;
    return ::listen(listening, 1024) == 0 ? listening : -1;
}

class Echo {
  public:
    Echo(int listening, std::size_t request, std::size_t reply)
        : listening_(listening), request_(request), reply_(reply, 'x'), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        watch(listening_);
    }

    [[noreturn]] void run() {
        std::array<epoll_event, 256> ready{};
        for (;;) {
            const int count = ::epoll_wait(epoll_, ready.data(), static_cast<int>(ready.size()), -1);
            for (int i = 0; i < count; ++i) {
                const int descriptor = ready[static_cast<std::size_t>(i)].data.fd;
                descriptor == listening_ ? accept() : answer(descriptor);
            }
        }
    }

  private:
    void watch(int descriptor) const {
        epoll_event event{.events = EPOLLIN, .data = {.fd = descriptor}};
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
    }

    void accept() {
        const int made = ::accept4(listening_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (made < 0) return;
        if (received_.size() <= static_cast<std::size_t>(made)) received_.resize(static_cast<std::size_t>(made) + 1);
        received_[static_cast<std::size_t>(made)] = 0;
        watch(made);
    }

    void answer(int descriptor) {
        const auto size = ::read(descriptor, bytes_.data(), bytes_.size());
        if (size <= 0) {
            ::close(descriptor);
            return;
        }
        auto& received = received_[static_cast<std::size_t>(descriptor)];
        received += static_cast<std::size_t>(size);
        for (; received >= request_; received -= request_) {
            if (::write(descriptor, reply_.data(), reply_.size()) < 0) ::close(descriptor);
        }
    }

    int listening_;
    std::size_t request_;
    std::string reply_;
    int epoll_;
    std::vector<std::size_t> received_;
    std::array<char, 65536> bytes_{};
};

} // namespace

int main(int count, char** arguments) {
    if (count != 4) {
        std::fprintf(stderr, "usage: echo_server SOCKET REQUEST_SIZE REPLY_SIZE\n");
        return 2;
    }
    const int listening = listen_at(arguments[1]);
    if (listening < 0) {
        std::perror(arguments[1]);
        return 1;
    }
    Echo(listening, std::strtoul(arguments[2], nullptr, 10), std::strtoul(arguments[3], nullptr, 10)).run();
}
