#define BOOST_TEST_DYN_LINK
#include "support/daemon/daemon.hpp"

#include <boost/test/unit_test.hpp>

#include <unistd.h>

BOOST_AUTO_TEST_CASE(a_broker_that_is_started_without_standard_input_puts_nothing_of_its_own_there) {
    if (::geteuid() != 0) {
        BOOST_TEST_MESSAGE("skipped: only root sees the broker's descriptors");
        return;
    }
    credlease::tests::Daemon daemon({.before_exec = [] { ::close(STDIN_FILENO); }});
    BOOST_REQUIRE(daemon.start());
    const auto input = "/proc/" + std::to_string(daemon.pid()) + "/fd/0";
    BOOST_TEST(std::filesystem::read_symlink(input).string() == "/dev/null");
}
