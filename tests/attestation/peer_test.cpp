#define BOOST_TEST_DYN_LINK
#include "attestation/process.hpp"
#include "processes.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace credlease::attestation {
namespace {

Child staying_client(const Listener& listener) {
    return listener.client([](int) { return stay(); });
}

Child client_with_uid(const Listener& listener, uid_t uid) {
    return Child([&listener, uid] {
        become(uid);
        const Descriptor socket = listener.connect();
        return socket.open() ? stay() : 99;
    });
}

} // namespace

BOOST_AUTO_TEST_SUITE(peer_promises)

BOOST_AUTO_TEST_CASE(the_kernel_says_who_connected) {
    const Listener listener;
    const Child client = staying_client(listener);
    const Descriptor socket = listener.accept();
    const auto peer = attest(socket.number());
    BOOST_REQUIRE(peer.has_value());
    BOOST_TEST(peer->pid == client.pid());
    BOOST_TEST(peer->uid == ::geteuid());
    BOOST_TEST(peer->gid == ::getegid());
    BOOST_TEST((peer->key == peer_key_here()));
    BOOST_TEST(peer->pidfd.open());
    BOOST_TEST(peer->start_time == read_stat(client.pid())->start_time);
    BOOST_TEST((peer->executable == executable_at("/proc/self/exe")));
    BOOST_TEST(peer->executable_path == executable_path(::getpid()));
    BOOST_TEST(peer->is_alive());
}

BOOST_AUTO_TEST_CASE(three_real_uids_are_told_apart) {
    if (!can_change_uid()) return;
    constexpr std::array<uid_t, 3> uids = {65534, 65533, 65532};
    for (const uid_t uid : uids) {
        const Listener listener;
        const Child client = client_with_uid(listener, uid);
        const Descriptor socket = listener.accept();
        const auto peer = attest(socket.number());
        BOOST_REQUIRE(peer.has_value());
        BOOST_TEST(peer->uid == uid);
        BOOST_TEST(peer->gid == uid);
        BOOST_TEST(peer->pid == client.pid());
        BOOST_TEST((peer->executable == executable_at("/proc/self/exe")));
    }
}

BOOST_AUTO_TEST_CASE(a_peer_that_exits_is_not_alive_and_its_descriptor_says_so) {
    const Listener listener;
    Child client = staying_client(listener);
    const Descriptor socket = listener.accept();
    const auto peer = attest(socket.number());
    BOOST_REQUIRE(peer.has_value());
    BOOST_TEST(peer->is_alive());
    client.end();
    BOOST_TEST(!peer->is_alive());
    BOOST_TEST(!executable_of(*peer).has_value());
    BOOST_TEST(!open_executable(*peer).open());
    pollfd state{.fd = peer->pidfd.number(), .events = POLLIN, .revents = 0};
    BOOST_TEST(::poll(&state, 1, 0) == 1);
}

BOOST_AUTO_TEST_CASE(a_peer_that_had_gone_before_it_was_asked_about_is_refused) {
    const Listener listener;
    Child client = listener.client([](int) { return 0; });
    BOOST_REQUIRE(client.wait() == 0);
    const Descriptor socket = listener.accept();
    const auto peer = attest(socket.number());
    BOOST_REQUIRE(!peer.has_value());
    BOOST_TEST((peer.error().code == result::ErrorCode::unauthenticated));
}

BOOST_AUTO_TEST_CASE(a_zombie_is_refused) {
    const Listener listener;
    const Child client = listener.client([](int) { return 0; });
    BOOST_REQUIRE(client.has_exited());
    const Descriptor socket = listener.accept();
    BOOST_TEST(!attest(socket.number()).has_value());
}

BOOST_AUTO_TEST_CASE(what_is_no_unix_socket_is_refused) {
    int ends[2];
    BOOST_REQUIRE(::pipe(ends) == 0);
    const Descriptor in(ends[0]);
    const Descriptor out(ends[1]);
    BOOST_TEST(!attest(in.number()).has_value());
}

BOOST_AUTO_TEST_CASE(a_peer_in_its_own_pid_namespace_shows_its_outer_pid) {
    if (!can_change_uid()) return;
    const Listener listener;
    const Child outer([&listener] {
        if (::unshare(CLONE_NEWPID) != 0) return 1;
        Child inner = staying_client(listener);
        return inner.wait();
    });
    const Descriptor socket = listener.accept();
    const auto peer = attest(socket.number());
    BOOST_REQUIRE(peer.has_value());
    BOOST_TEST(peer->pid > outer.pid());
    BOOST_TEST(peer->is_alive());
}

BOOST_AUTO_TEST_CASE(a_peer_outside_our_pid_namespace_is_refused) {
    if (!can_change_uid()) return;
    const Listener listener;
    const Child client = staying_client(listener);
    Child server([&listener] {
        if (::unshare(CLONE_NEWPID) != 0) return 2;
        Child inside([&listener] {
            const Descriptor socket = listener.accept();
            const auto peer = attest(socket.number());
            return !peer && peer.error().code == result::ErrorCode::unauthenticated ? 0 : 1;
        });
        return inside.wait();
    });
    BOOST_TEST(server.wait() == 0);
}

BOOST_AUTO_TEST_CASE(a_process_is_found_again_by_pid_and_start_time) {
    const Child child([] { return stay(); });
    const auto stat = read_stat(child.pid());
    BOOST_REQUIRE(stat.has_value());
    BOOST_TEST(open_process(child.pid(), stat->start_time).open());
    BOOST_TEST(!open_process(child.pid(), stat->start_time + 1).open());
    BOOST_TEST(!open_process(0x7fffffff, stat->start_time).open());
}

BOOST_AUTO_TEST_CASE(a_later_process_of_the_same_pid_is_another) {
    if (!can_change_uid()) return;
    const Listener listener;
    Child client = staying_client(listener);
    const Descriptor socket = listener.accept();
    const auto peer = attest(socket.number());
    BOOST_REQUIRE(peer.has_value());
    Peer remembered; // as a lease in the journal knows its holder
    remembered.pid = peer->pid;
    remembered.start_time = peer->start_time;
    BOOST_TEST(remembered.is_alive());
    client.end();
    BOOST_TEST(!remembered.is_alive());

    while (ticks_since_boot() <= peer->start_time) ::usleep(1000); // start times count in ticks of 10 ms
    const Child later = Child::with_pid(peer->pid, stay);
    if (later.pid() != peer->pid) {
        BOOST_TEST_MESSAGE("skipped: no process can be started with a pid of our choice here");
        return;
    }
    BOOST_TEST(!peer->is_alive());
    BOOST_TEST(!remembered.is_alive());
    BOOST_TEST(!executable_of(*peer).has_value());
    BOOST_TEST(!open_process(peer->pid, peer->start_time).open());
}

BOOST_AUTO_TEST_CASE(a_thousand_attestations_leave_no_descriptor_behind) {
    const Listener listener;
    const Child client = staying_client(listener);
    const Descriptor socket = listener.accept();
    const auto lowest = [] { return Descriptor(::dup(0)).number(); };
    const int before = lowest();
    for (int i = 0; i < 1000; ++i) BOOST_REQUIRE(attest(socket.number()).has_value());
    BOOST_TEST(lowest() == before);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::attestation
