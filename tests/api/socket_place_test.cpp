#define BOOST_TEST_DYN_LINK
#include "broker_stand_in.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <fstream>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace credlease;
using api::check_passed_socket;
using api::listen_at;
using api::SocketPlace;
using attestation::Descriptor;
using result::ErrorCode;
using test::SocketClient;
using test::TemporaryFolder;

mode_t mode_of(const std::filesystem::path& path) {
    struct stat status{};
    BOOST_REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 07777;
}

gid_t group_of(const std::filesystem::path& path) {
    struct stat status{};
    BOOST_REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_gid;
}

std::string refusal_of(const result::Result<Descriptor>& socket) {
    BOOST_REQUIRE(!socket.has_value());
    BOOST_TEST((socket.error().code == ErrorCode::configuration));
    BOOST_TEST(!socket.error().next_step.view().empty());
    return socket.error().detail();
}

/// A listening socket as systemd makes it.
Descriptor passed_at(const std::filesystem::path& path, mode_t mode) {
    Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    BOOST_REQUIRE(::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    BOOST_REQUIRE(::listen(socket.number(), 1) == 0);
    BOOST_REQUIRE(::chmod(path.c_str(), mode) == 0);
    return socket;
}

struct Fixture {
    TemporaryFolder folder;
    const std::filesystem::path& directory = folder.path();
    std::filesystem::path path = directory / "lease.sock";
};

BOOST_FIXTURE_TEST_SUITE(socket_place, Fixture)

BOOST_AUTO_TEST_CASE(a_socket_has_the_rights_asked_for_and_listens) {
    for (const mode_t mode : {0600U, 0660U, 0666U}) {
        std::filesystem::remove(path);
        const auto socket = listen_at({.path = path, .mode = mode});
        BOOST_REQUIRE(socket.has_value());
        BOOST_TEST(mode_of(path) == mode);
        BOOST_CHECK_NO_THROW(SocketClient{path});
    }
}

BOOST_AUTO_TEST_CASE(the_umask_is_as_it_was_and_does_not_matter) {
    const mode_t before = ::umask(0777);
    const auto socket = listen_at({.path = path, .mode = 0660});
    const mode_t after = ::umask(before);
    BOOST_TEST(socket.has_value());
    BOOST_TEST(after == 0777U);
    BOOST_TEST(mode_of(path) == 0660U);
}

BOOST_AUTO_TEST_CASE(a_socket_belongs_to_its_group) {
    if (::getuid() != 0) return; // only root may give a file to a group that it is not in
    const auto socket = listen_at({.path = path, .mode = 0660, .group = 65534});
    BOOST_REQUIRE(socket.has_value());
    BOOST_TEST(group_of(path) == 65534U);
    BOOST_TEST(mode_of(path) == 0660U);
}

BOOST_AUTO_TEST_CASE(a_socket_never_exists_with_wrong_rights) {
    // A child watches both names as fast as it can: on its way a socket is closed to others, in its place it is right.
    const auto temporary = directory / ".lease.sock.new";
    const pid_t watcher = ::fork();
    if (watcher == 0) {
        int wrong = 0;
        for (int seen = 0; seen < 200'000; ++seen) {
            struct stat status{};
            if (::stat(path.c_str(), &status) == 0 && (status.st_mode & 07777) != 0620) wrong = 1;
            if (::stat(temporary.c_str(), &status) != 0) continue;
            if ((status.st_mode & 07777) != 0600 && (status.st_mode & 07777) != 0620) wrong = 1;
        }
        ::_exit(wrong);
    }
    int status = 0;
    while (::waitpid(watcher, &status, WNOHANG) == 0) {
        auto socket = listen_at({.path = path, .mode = 0620});
        BOOST_REQUIRE(socket.has_value());
        socket->close();
    }
    BOOST_TEST(WEXITSTATUS(status) == 0);
}

BOOST_AUTO_TEST_CASE(until_it_has_its_rights_nobody_else_can_use_the_socket) {
    // What inotify(7) saw of each file: it was made closed, opened up, and renamed, in this order.
    const Descriptor events(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    ::inotify_add_watch(events.number(), directory.c_str(), IN_CREATE | IN_ATTRIB | IN_MOVED_TO | IN_MOVED_FROM);
    const auto socket = listen_at({.path = path, .mode = 0666});
    BOOST_REQUIRE(socket.has_value());
    alignas(inotify_event) std::array<char, 8192> bytes{};
    const ssize_t size = ::read(events.number(), bytes.data(), bytes.size());
    std::vector<std::pair<std::string, std::uint32_t>> seen;
    for (ssize_t at = 0; at < size;) {
        const auto* event = reinterpret_cast<const inotify_event*>(&bytes[static_cast<std::size_t>(at)]);
        seen.emplace_back(event->name, event->mask);
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
    std::erase_if(seen, [](const auto& event) { return event.first == ".lock"; });
    BOOST_REQUIRE(seen.size() == 4U);
    BOOST_TEST((seen[0] == std::pair<std::string, std::uint32_t>(".lease.sock.new", IN_CREATE)));
    BOOST_TEST((seen[1] == std::pair<std::string, std::uint32_t>(".lease.sock.new", IN_ATTRIB)));
    BOOST_TEST((seen[2] == std::pair<std::string, std::uint32_t>(".lease.sock.new", IN_MOVED_FROM)));
    BOOST_TEST((seen[3] == std::pair<std::string, std::uint32_t>("lease.sock", IN_MOVED_TO)));
}

BOOST_AUTO_TEST_CASE(a_stale_socket_is_taken_over) {
    auto first = listen_at({.path = path});
    BOOST_REQUIRE(first.has_value());
    first->close(); // as a killed daemon leaves it
    BOOST_REQUIRE(std::filesystem::exists(path));
    const auto second = listen_at({.path = path});
    BOOST_REQUIRE(second.has_value());
    BOOST_CHECK_NO_THROW(SocketClient{path});
}

BOOST_AUTO_TEST_CASE(a_second_daemon_on_the_same_socket_is_refused_and_the_first_goes_on) {
    const auto first = listen_at({.path = path});
    BOOST_REQUIRE(first.has_value());
    const auto text = refusal_of(listen_at({.path = path}));
    BOOST_TEST(text.find("Another daemon is listening on this socket") != std::string::npos);
    BOOST_TEST(text.find(path.string() + ": pid " + std::to_string(::getpid())) != std::string::npos);
    BOOST_CHECK_NO_THROW(SocketClient{path});
    BOOST_TEST(!std::filesystem::exists(directory / ".lease.sock.new"));
}

BOOST_AUTO_TEST_CASE(a_daemon_whose_queue_is_full_is_still_alive) {
    const auto first = listen_at({.path = path});
    BOOST_REQUIRE(first.has_value());
    BOOST_REQUIRE(::listen(first->number(), 0) == 0);
    std::vector<Descriptor> waiting;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    for (int i = 0; i < 4; ++i) {
        waiting.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        (void)::connect(waiting.back().number(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    BOOST_TEST(!listen_at({.path = path}).has_value());
}

BOOST_AUTO_TEST_CASE(of_two_daemons_that_start_at_once_one_wins) {
    for (int round = 0; round < 20; ++round) {
        std::filesystem::remove(path);
        std::array<pid_t, 4> daemons{};
        for (auto& daemon : daemons) {
            daemon = ::fork();
            if (daemon != 0) continue;
            const auto socket = listen_at({.path = path});
            if (!socket) ::_exit(1);
            ::pause();
        }
        int refused = 0;
        int status = 0;
        while (refused < 3 && ::waitpid(-1, &status, 0) > 0) ++refused;
        BOOST_CHECK_NO_THROW(SocketClient{path});
        for (const pid_t daemon : daemons) ::kill(daemon, SIGKILL);
        int left = 0;
        while (::waitpid(-1, &status, 0) > 0) ++left;
        BOOST_REQUIRE(refused == 3);
        BOOST_REQUIRE(left == 1);
    }
}

BOOST_AUTO_TEST_CASE(what_is_in_the_way_is_not_touched) {
    std::ofstream(path) << "precious";
    BOOST_TEST(refusal_of(listen_at({.path = path})).find("not a socket") != std::string::npos);
    BOOST_TEST(std::filesystem::file_size(path) == 8U);
    std::filesystem::remove(path);
    std::filesystem::create_symlink(directory / "elsewhere", path);
    BOOST_TEST(!listen_at({.path = path}).has_value());
    BOOST_TEST(std::filesystem::is_symlink(path));
}

BOOST_AUTO_TEST_CASE(a_place_that_cannot_be_used_is_refused_with_its_name) {
    BOOST_TEST(refusal_of(listen_at({.path = directory / "missing" / "lease.sock"})).find("missing") !=
               std::string::npos);
    BOOST_TEST(refusal_of(listen_at({.path = directory / std::string(100, 'x')})).find("too long") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_lock_that_another_start_holds_is_waited_for) {
    const Descriptor lock(::open((directory / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    BOOST_REQUIRE(::flock(lock.number(), LOCK_EX) == 0);
    auto started = std::async(std::launch::async, [&] { return listen_at({.path = path}); });
    BOOST_TEST((started.wait_for(std::chrono::milliseconds(100)) == std::future_status::timeout));
    BOOST_REQUIRE(::flock(lock.number(), LOCK_UN) == 0);
    BOOST_TEST(started.get().has_value());
}

BOOST_AUTO_TEST_CASE(a_passed_socket_may_not_be_wider_than_the_config) {
    const Descriptor socket = passed_at(path, 0660);
    BOOST_TEST(check_passed_socket(socket.number(), {.path = path, .mode = 0660}).has_value());
    BOOST_TEST(check_passed_socket(socket.number(), {.path = path, .mode = 0666}).has_value());
    const auto refused = check_passed_socket(socket.number(), {.path = path, .mode = 0600});
    BOOST_REQUIRE(!refused.has_value());
    BOOST_TEST(refused.error().detail().find("wider rights") != std::string::npos);
    BOOST_TEST(!check_passed_socket(socket.number(), {.path = path, .mode = 0660, .group = 12345}).has_value());
    BOOST_TEST(check_passed_socket(socket.number(), {.path = path, .mode = 0660, .group = ::getegid()}).has_value());
}

BOOST_AUTO_TEST_CASE(only_a_listening_socket_with_a_path_may_be_passed) {
    int ends[2] = {-1, -1};
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    const Descriptor one(ends[0]);
    const Descriptor other(ends[1]);
    BOOST_TEST(!check_passed_socket(one.number(), {.path = path}).has_value());
    const Descriptor tcp(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    BOOST_REQUIRE(::listen(tcp.number(), 1) == 0);
    BOOST_TEST(!check_passed_socket(tcp.number(), {.path = path}).has_value());
    BOOST_TEST(!check_passed_socket(-1, {.path = path}).has_value());
    const Descriptor socket = passed_at(path, 0600);
    std::filesystem::remove(path);
    BOOST_TEST(!check_passed_socket(socket.number(), {.path = path, .mode = 0600}).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
