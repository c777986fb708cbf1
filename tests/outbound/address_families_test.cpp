#define BOOST_TEST_DYN_LINK
#include "support/in_child.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <cstddef>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

namespace credlease::outbound::test {
namespace {

/// As the service units do (RestrictAddressFamilies=).
bool refuse_netlink() {
    const std::uint32_t refusal = SECCOMP_RET_ERRNO | EAFNOSUPPORT;
    sock_filter rules[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                           BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
                           BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
                           BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 1),
                           BPF_STMT(BPF_RET | BPF_K, refusal),
                           BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const sock_fprog program{.len = std::size(rules), .filter = rules};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 &&
           ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0) < 0 && errno == EAFNOSUPPORT;
}

int look_up_localhost() {
    if (!refuse_netlink()) return 90;
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo("localhost", nullptr, &hints, &found) != 0) return 91;
    bool has_address = false;
    for (const auto* each = found; each != nullptr; each = each->ai_next) has_address |= each->ai_family == AF_INET;
    ::freeaddrinfo(found);
    return has_address ? 0 : 92;
}

BOOST_AUTO_TEST_SUITE(address_families)

BOOST_AUTO_TEST_CASE(names_are_looked_up_where_the_unit_allows_no_netlink) {
    BOOST_TEST(credlease::test::in_child(look_up_localhost) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::outbound::test
