#define BOOST_TEST_MODULE supervisor
#define BOOST_TEST_DYN_LINK
#include "supervisor/supervisor.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdlib>
#include <ctime>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using credlease::supervisor::Supervisor;

namespace {

/// A service manager's end: a datagram socket whose place is in NOTIFY_SOCKET.
class NotifySocket {
  public:
    NotifySocket() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        std::string folder = "/tmp/credlease-notify.XXXXXX";
        BOOST_REQUIRE(::mkdtemp(folder.data()) != nullptr);
        folder_ = folder;
        path_ = folder + "/notify";
        sockaddr_un place{};
        place.sun_family = AF_UNIX;
        path_.copy(place.sun_path, sizeof place.sun_path - 1);
        BOOST_REQUIRE_EQUAL(::bind(socket_, reinterpret_cast<const sockaddr*>(&place), sizeof place), 0);
        ::setenv("NOTIFY_SOCKET", path_.c_str(), 1);
    }
    NotifySocket(const NotifySocket&) = delete;
    NotifySocket& operator=(const NotifySocket&) = delete;
    ~NotifySocket() {
        ::unsetenv("NOTIFY_SOCKET");
        ::close(socket_);
        ::unlink(path_.c_str());
        ::rmdir(folder_.c_str());
    }

    /// The next message; empty when there is none.
    [[nodiscard]] std::string next() const {
        std::array<char, 512> bytes{};
        const auto size = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
        return size < 0 ? std::string{} : std::string(bytes.data(), static_cast<std::size_t>(size));
    }

  private:
    int socket_;
    std::string folder_, path_;
};

std::uint64_t monotonic_microseconds() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_manager_is_told_each_state_in_its_own_words) {
    const NotifySocket manager;
    const auto supervisor = Supervisor::from_environment();
    BOOST_TEST(supervisor.is_present());
    supervisor.ready();
    BOOST_TEST(manager.next() == "READY=1");
    supervisor.stopping();
    BOOST_TEST(manager.next() == "STOPPING=1");
    supervisor.alive();
    BOOST_TEST(manager.next() == "WATCHDOG=1");
    supervisor.status("12 credentials");
    BOOST_TEST(manager.next() == "STATUS=12 credentials");
    BOOST_TEST(manager.next().empty());
}

BOOST_AUTO_TEST_CASE(a_reload_carries_the_moment_that_it_began) {
    const NotifySocket manager;
    const auto supervisor = Supervisor::from_environment();
    const auto before = monotonic_microseconds();
    supervisor.reloading();
    const auto after = monotonic_microseconds();

    const std::string start = "RELOADING=1\nMONOTONIC_USEC=";
    const auto message = manager.next();
    BOOST_REQUIRE(message.starts_with(start));
    const auto moment = std::stoull(message.substr(start.size()));
    BOOST_TEST(moment >= before);
    BOOST_TEST(moment <= after);
}

BOOST_AUTO_TEST_CASE(a_status_of_two_lines_cannot_say_something_else) {
    const NotifySocket manager;
    Supervisor::from_environment().status("a\nSTOPPING=1");
    BOOST_TEST(manager.next() == "STATUS=a STOPPING=1");
}

BOOST_AUTO_TEST_CASE(without_a_manager_nothing_is_sent_and_nothing_fails) {
    ::unsetenv("NOTIFY_SOCKET");
    const auto supervisor = Supervisor::from_environment();
    BOOST_TEST(!supervisor.is_present());
    BOOST_TEST(!supervisor.watchdog_interval().has_value());
    supervisor.ready();
    supervisor.stopping();
}

BOOST_AUTO_TEST_CASE(a_manager_that_has_gone_is_no_error) {
    Supervisor supervisor;
    {
        const NotifySocket manager;
        supervisor = Supervisor::from_environment();
        ::setenv("NOTIFY_SOCKET", "/tmp/credlease-notify-that-is-not-there", 1);
    }
    supervisor.alive();
}

BOOST_AUTO_TEST_CASE(the_watchdog_is_fed_twice_in_its_time_and_only_by_the_process_it_names) {
    ::setenv("WATCHDOG_USEC", "30000000", 1);
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    BOOST_TEST(Supervisor::from_environment().watchdog_interval()->count() == 15'000'000);

    ::setenv("WATCHDOG_PID", std::to_string(::getppid()).c_str(), 1);
    BOOST_TEST(!Supervisor::from_environment().watchdog_interval().has_value());
    ::unsetenv("WATCHDOG_USEC");
    ::unsetenv("WATCHDOG_PID");
}
