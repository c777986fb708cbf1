#define BOOST_TEST_DYN_LINK
#include "processes.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstring>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace credlease::attestation {
namespace {

using Kind = Received::Kind;

/// A client, its attested connection, and reading from it.
struct Connection {
    explicit Connection(const std::function<int(int)>& life, Listening how = Listening::prepared)
        : listener(how), client(listener.client(life)), socket(listener.accept()) {
        auto attested = attest(socket.number());
        BOOST_REQUIRE(attested.has_value());
        peer = std::move(*attested);
    }

    /// Waits for something to read, then reads once.
    Kind read() {
        pollfd state{.fd = socket.number(), .events = POLLIN, .revents = 0};
        ::poll(&state, 1, 10'000);
        std::array<std::byte, 256> bytes{};
        const auto got = receive(socket.number(), peer, bytes);
        text.assign(reinterpret_cast<const char*>(bytes.data()), got.size);
        return got.kind;
    }
    void go() const { say_go(socket.number()); }

    Listener listener;
    Child client;
    Descriptor socket;
    Peer peer;
    std::string text; ///< what the last read brought
};

/// Sends one message with control data of the given kind.
bool send_with(int socket, const char* text, int type, const void* data, std::size_t size) {
    std::vector<char> control(CMSG_SPACE(size));
    iovec from{.iov_base = const_cast<char*>(text), .iov_len = std::strlen(text)};
    msghdr message{};
    message.msg_iov = &from;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = type;
    head->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(head), data, size);
    return ::sendmsg(socket, &message, 0) > 0;
}

int receive_descriptor(int socket) {
    char byte = 0;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    iovec into{.iov_base = &byte, .iov_len = 1};
    msghdr message{};
    message.msg_iov = &into;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    int number = -1;
    if (::recvmsg(socket, &message, 0) == 1) std::memcpy(&number, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof number);
    return number;
}

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

} // namespace

BOOST_AUTO_TEST_SUITE(receive_promises)

BOOST_AUTO_TEST_CASE(what_the_peer_writes_comes_through) {
    Connection connection([](int socket) {
        if (!go_came(socket)) return 96;
        write_text(socket, "first");
        if (!go_came(socket)) return 96;
        return 0;
    });
    std::array<std::byte, 16> bytes{};
    BOOST_TEST((receive(connection.socket.number(), connection.peer, bytes).kind == Kind::nothing_yet));
    connection.go();
    BOOST_TEST((connection.read() == Kind::bytes));
    BOOST_TEST(connection.text == "first");
    connection.go();
    BOOST_TEST((connection.read() == Kind::end));
}

BOOST_AUTO_TEST_CASE(every_thread_of_the_peer_is_the_peer) {
    Connection connection([](int socket) {
        std::thread([&] { write_text(socket, "thread"); }).join();
        return stay();
    });
    BOOST_TEST((connection.read() == Kind::bytes));
    BOOST_TEST(connection.text == "thread");
}

BOOST_AUTO_TEST_CASE(whoever_inherited_the_socket_is_a_stranger) {
    Connection connection([](int socket) {
        write_text(socket, "parent");
        Child([&] { return write_text(socket, "child") ? 0 : 1; }).wait();
        return stay();
    });
    BOOST_TEST((connection.read() == Kind::bytes)); // bytes of two writers never come in one read
    BOOST_TEST(connection.text == "parent");
    BOOST_TEST((connection.read() == Kind::stranger));
    BOOST_TEST(connection.text == "child");
}

BOOST_AUTO_TEST_CASE(whoever_was_passed_the_socket_is_a_stranger) {
    int ends[2];
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    const Descriptor giver(ends[0]);
    const Descriptor taker(ends[1]);
    const Child other([&] { return write_text(receive_descriptor(taker.number()), "passed") ? stay() : 1; });
    Connection connection([&](int socket) {
        if (!go_came(socket)) return 96;
        return send_with(giver.number(), "x", SCM_RIGHTS, &socket, sizeof socket) ? stay() : 1;
    });
    connection.go();
    BOOST_TEST((connection.read() == Kind::stranger));
    BOOST_TEST(connection.text == "passed");
}

BOOST_AUTO_TEST_CASE(a_peer_that_became_another_uid_is_a_stranger) {
    if (!can_change_uid()) return;
    Connection connection([](int socket) {
        if (!go_came(socket)) return 96;
        become(65534);
        return write_text(socket, "other") ? stay() : 1;
    });
    connection.go();
    BOOST_TEST((connection.read() == Kind::stranger));
}

// The kernel names a connecting process by its effective uid, a writing one by its real uid.
BOOST_AUTO_TEST_CASE(a_set_uid_program_is_the_uid_that_it_acts_as) {
    if (!can_change_uid()) return;
    const Listener listener;
    const Child client([&] {
        if (::setresuid(65534, 65533, 65533) != 0) return 1;
        const Descriptor socket = listener.connect();
        write_text(socket.number(), "acting");
        if (!go_came(socket.number())) return 96;
        if (::setresuid(65534, 65534, 65534) != 0) return 2;
        return write_text(socket.number(), "dropped") ? stay() : 3;
    });
    const Descriptor socket = listener.accept();
    const auto peer = attest(socket.number());
    BOOST_REQUIRE(peer.has_value());
    BOOST_TEST(peer->uid == 65533U);
    pollfd state{.fd = socket.number(), .events = POLLIN, .revents = 0};
    std::array<std::byte, 16> bytes{};
    ::poll(&state, 1, 10'000);
    BOOST_TEST((receive(socket.number(), *peer, bytes).kind == Kind::bytes));
    say_go(socket.number());
    ::poll(&state, 1, 10'000);
    BOOST_TEST((receive(socket.number(), *peer, bytes).kind == Kind::stranger));
}

BOOST_AUTO_TEST_CASE(claimed_credentials_of_another_process_are_a_strangers) {
    if (!can_change_uid()) return;
    Connection connection([](int socket) {
        const ucred claimed{.pid = 1, .uid = 0, .gid = 0};
        return send_with(socket, "claim", SCM_CREDENTIALS, &claimed, sizeof claimed) ? stay() : 1;
    });
    BOOST_TEST((connection.read() == Kind::stranger));
}

BOOST_AUTO_TEST_CASE(descriptors_that_come_along_are_closed) {
    for (const std::size_t count : {1U, 253U}) { // 253: SCM_MAX_FD, the most a message can carry
        Connection connection([count](int socket) {
            int ends[2];
            if (::pipe(ends) != 0) return 1;
            const std::vector<int> numbers(count, ends[1]);
            if (!send_with(socket, "with", SCM_RIGHTS, numbers.data(), count * sizeof(int))) return 2;
            ::close(ends[1]);
            char byte = 0;
            if (::read(ends[0], &byte, 1) != 0) return 3; // the end comes once nobody holds the other side
            return write_text(socket, "after") ? stay() : 4;
        });
        const auto before = open_descriptors();
        BOOST_TEST((connection.read() == Kind::bytes));
        BOOST_TEST(connection.text == "with");
        BOOST_TEST(open_descriptors() == before);
        BOOST_TEST((connection.read() == Kind::bytes));
        BOOST_TEST(connection.text == "after");
    }
}

BOOST_AUTO_TEST_CASE(what_is_written_before_the_peer_is_attested_counts) {
    for (const bool before_accept : {true, false}) {
        const Listener listener;
        const Child client = listener.client([before_accept](int socket) {
            if (!before_accept && !go_came(socket)) return 96;
            write_text(socket, "early");
            say_go(socket);
            return stay();
        });
        if (before_accept) ::usleep(20'000);
        const Descriptor socket = listener.accept();
        if (!before_accept) say_go(socket.number());
        pollfd state{.fd = socket.number(), .events = POLLIN, .revents = 0};
        BOOST_REQUIRE(::poll(&state, 1, 10'000) == 1);
        const auto peer = attest(socket.number());
        BOOST_REQUIRE(peer.has_value());
        std::array<std::byte, 16> bytes{};
        BOOST_TEST((receive(socket.number(), *peer, bytes).kind == Kind::bytes));
    }
}

BOOST_AUTO_TEST_CASE(what_the_kernel_names_no_writer_for_is_a_strangers) {
    const Listener listener(Listening::plain);
    const Child client = listener.client([](int socket) {
        if (!go_came(socket)) return 96;
        return write_text(socket, "early") ? stay() : 1;
    });
    const Descriptor socket = listener.accept();
    say_go(socket.number());
    pollfd state{.fd = socket.number(), .events = POLLIN, .revents = 0};
    BOOST_REQUIRE(::poll(&state, 1, 10'000) == 1); // written after accept, before SO_PASSCRED
    const auto peer = attest(socket.number());
    BOOST_REQUIRE(peer.has_value());
    std::array<std::byte, 16> bytes{};
    BOOST_TEST((receive(socket.number(), *peer, bytes).kind == Kind::stranger));
}

BOOST_AUTO_TEST_CASE(a_peer_that_closed_on_unread_bytes_is_not_taken_for_one_that_wrote) {
    Connection connection([](int socket) {
        if (!go_came(socket)) return 96;
        return 0;
    });
    connection.go();
    say_go(connection.socket.number()); // never read: the close becomes a reset
    const auto kind = connection.read();
    BOOST_TEST((kind == Kind::failed || kind == Kind::end));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::attestation
