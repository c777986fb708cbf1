#define BOOST_TEST_DYN_LINK
#include "child.hpp"
#include "supervisor/supervisor.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/socket.h>
#include <sys/un.h>
#include <vector>

using credlease::supervisor::passed_sockets;

namespace {

enum class Kind { listening, not_listening, datagram };

int make_socket(Kind kind) {
    const int made = ::socket(AF_UNIX, kind == Kind::datagram ? SOCK_DGRAM : SOCK_STREAM, 0);
    sockaddr_un place{};
    place.sun_family = AF_UNIX;
    ::bind(made, reinterpret_cast<const sockaddr*>(&place), sizeof(sa_family_t)); // an abstract name of the kernel's
    if (kind == Kind::listening) ::listen(made, 1);
    return made;
}

/// What the daemon makes of `kinds` passed under `names`, as systemd passes them: from descriptor 3 on.
std::string passed(const std::vector<Kind>& kinds, const char* names) {
    return supervisor_test::in_a_child([&] {
               int place = 3;
               for (const auto kind : kinds) {
                   const int made = make_socket(kind);
                   if (made != place) ::dup2(made, place);
                   ++place;
               }
               ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
               ::setenv("LISTEN_FDS", std::to_string(kinds.size()).c_str(), 1);
               if (names != nullptr) ::setenv("LISTEN_FDNAMES", names, 1);
               const auto sockets = passed_sockets();
               if (!sockets) return sockets.error().detail();
               if (!*sockets) return std::string("none");
               return "lease=" + std::to_string((*sockets)->lease) + " admin=" + std::to_string((*sockets)->admin) +
                      (std::getenv("LISTEN_FDS") == nullptr ? "" : " LISTEN_FDS stayed");
           })
        .said;
}

constexpr Kind good = Kind::listening;

} // namespace

BOOST_AUTO_TEST_CASE(passed_sockets_are_known_by_name_whatever_their_order) {
    BOOST_TEST(passed({good, good}, "lease:admin") == "lease=3 admin=4");
    BOOST_TEST(passed({good, good}, "admin:lease") == "lease=4 admin=3");
}

BOOST_AUTO_TEST_CASE(without_socket_activation_there_are_none) { BOOST_TEST(passed({}, nullptr) == "none"); }

BOOST_AUTO_TEST_CASE(a_missing_name_stops_the_start_and_is_named) {
    BOOST_TEST(passed({good}, "lease").starts_with("The service manager did not pass a socket (admin)."));
    BOOST_TEST(passed({good}, "admin").starts_with("The service manager did not pass a socket (lease)."));
}

BOOST_AUTO_TEST_CASE(an_unknown_name_stops_the_start_and_is_named) {
    const std::string sentence = "The service manager passed a socket of an unknown name (";
    BOOST_TEST(passed({good, good, good}, "lease:admin:metrics").starts_with(sentence + "metrics)."));
    BOOST_TEST(passed({good, good}, nullptr).starts_with(sentence + "unknown).")); // FileDescriptorName= was not set
}

BOOST_AUTO_TEST_CASE(a_name_that_comes_twice_stops_the_start) {
    BOOST_TEST(passed({good, good, good}, "lease:admin:lease")
                   .starts_with("The service manager passed two sockets of one name (lease)."));
}

BOOST_AUTO_TEST_CASE(only_a_listening_stream_socket_is_taken) {
    const std::string sentence = "What the service manager passed is no listening Unix stream socket (admin).";
    BOOST_TEST(passed({good, Kind::datagram}, "lease:admin").starts_with(sentence));
    BOOST_TEST(passed({good, Kind::not_listening}, "lease:admin").starts_with(sentence));
}
