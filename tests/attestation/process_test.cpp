#define BOOST_TEST_MODULE attestation
#define BOOST_TEST_DYN_LINK
#include "attestation/process.hpp"
#include "processes.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <iomanip>
#include <sstream>
#include <sys/prctl.h>
#include <unistd.h>

namespace credlease::attestation {

BOOST_AUTO_TEST_SUITE(process_promises)

BOOST_AUTO_TEST_CASE(the_start_time_is_found_behind_any_process_name) {
    constexpr auto rest = " S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 1000 2000\n";
    for (const std::string name :
         {"(sh)", "(a b)", "(a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 99)", "())", "()"}) {
        const auto stat = parse_stat("42 " + name + rest);
        BOOST_REQUIRE(stat.has_value());
        BOOST_TEST(stat->start_time == 4711U);
        BOOST_TEST(stat->state == 'S');
    }
}

BOOST_AUTO_TEST_CASE(a_line_that_is_no_stat_has_no_start_time) {
    for (const std::string line :
         {"", "42", "42 (sh)", "42 (sh) S 1 2", "42 (sh) S 1 7 7 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 x"}) {
        BOOST_TEST(!parse_stat(line).has_value());
    }
}

BOOST_AUTO_TEST_CASE(a_process_that_named_itself_badly_is_read_right) {
    const auto before = ticks_since_boot();
    const Child child([] {
        ::prctl(PR_SET_NAME, ") Z 1 1 (");
        return stay();
    });
    for (int i = 0; i < 100; ++i) {
        const auto stat = read_stat(child.pid());
        BOOST_REQUIRE(stat.has_value());
        BOOST_TEST(!stat->has_exited());
        BOOST_TEST(stat->start_time >= before);
        BOOST_TEST(stat->start_time <= ticks_since_boot());
        ::usleep(100);
    }
}

BOOST_AUTO_TEST_CASE(a_zombie_has_exited) {
    const Child child([] { return 0; });
    BOOST_REQUIRE(child.has_exited());
    const auto stat = read_stat(child.pid());
    BOOST_REQUIRE(stat.has_value());
    BOOST_TEST(stat->has_exited());
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_not_read) {
    constexpr pid_t nobody = 0x7fffffff;
    BOOST_TEST(!read_stat(nobody).has_value());
    BOOST_TEST(!read_uids(nobody).has_value());
    BOOST_TEST(unit_of_process(nobody).empty());
    BOOST_TEST(executable_path(nobody).empty());
}

BOOST_AUTO_TEST_CASE(both_uids_of_a_process_are_read) {
    const auto own = read_uids(::getpid());
    BOOST_REQUIRE(own.has_value());
    BOOST_TEST(own->real == ::getuid());
    BOOST_TEST(own->effective == ::geteuid());
}

BOOST_AUTO_TEST_CASE(the_boot_id_is_the_kernels) {
    std::string text;
    std::ifstream("/proc/sys/kernel/random/boot_id") >> text;
    std::erase(text, '-');
    std::ostringstream made;
    for (const auto byte : boot_id()) made << std::hex << std::setw(2) << std::setfill('0') << int(byte);
    BOOST_TEST(made.str() == text);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::attestation
