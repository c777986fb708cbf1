#define BOOST_TEST_DYN_LINK
#include "attestation/unit.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::attestation {

BOOST_AUTO_TEST_SUITE(unit_promises)

BOOST_AUTO_TEST_CASE(the_unit_is_the_first_below_the_systems_slices) {
    BOOST_TEST(unit_of_cgroup("/system.slice/etl@3.service") == "etl@3.service");
    BOOST_TEST(unit_of_cgroup("/system.slice/system-etl.slice/etl@3.service") == "etl@3.service");
    BOOST_TEST(unit_of_cgroup("/system.slice/etl.service/workers/1") == "etl.service");
    BOOST_TEST(unit_of_cgroup("/user.slice/user-1000.slice/session-3.scope") == "session-3.scope");
    BOOST_TEST(unit_of_cgroup("/init.scope") == "init.scope");
    BOOST_TEST(unit_of_cgroup("/system.slice/a\\x2db.service") == "a\\x2db.service");
}

BOOST_AUTO_TEST_CASE(below_a_users_manager_nothing_counts) {
    constexpr auto forged = "/user.slice/user-1000.slice/user@1000.service/app.slice/etl@3.service";
    BOOST_TEST(unit_of_cgroup(forged) == "user@1000.service");
    BOOST_TEST(unit_of_cgroup("/user.slice/user-1000.slice/user@1000.service/system.slice/etl@3.service") ==
               "user@1000.service");
}

BOOST_AUTO_TEST_CASE(below_a_container_nothing_counts) {
    BOOST_TEST(unit_of_cgroup("/system.slice/docker-4f.scope/system.slice/etl.service") == "docker-4f.scope");
    BOOST_TEST(unit_of_cgroup("/docker/4f/system.slice/etl.service").empty());
    BOOST_TEST(unit_of_cgroup("/lxc.payload.a/system.slice/etl.service").empty());
}

BOOST_AUTO_TEST_CASE(a_path_outside_our_cgroup_namespace_names_no_unit) {
    BOOST_TEST(unit_of_cgroup("/../system.slice/etl.service").empty());
    BOOST_TEST(unit_of_cgroup("/../../etl.service").empty());
}

BOOST_AUTO_TEST_CASE(where_no_unit_is_none_is_named) {
    BOOST_TEST(unit_of_cgroup("").empty());
    BOOST_TEST(unit_of_cgroup("/").empty());
    BOOST_TEST(unit_of_cgroup("/system.slice").empty());
    BOOST_TEST(unit_of_cgroup("system.slice/etl.service").empty());
    BOOST_TEST(unit_of_cgroup("//etl.service").empty());
    BOOST_TEST(unit_of_cgroup("/.service").empty());
    BOOST_TEST(unit_of_cgroup("/system.slice/a b.service").empty());
    BOOST_TEST(unit_of_cgroup("/" + std::string(256, 'a') + ".service").empty());
}

BOOST_AUTO_TEST_CASE(an_escaped_name_is_read_as_systemd_wrote_it) {
    BOOST_TEST(unit_of_cgroup("/system.slice/_cpu.service") == "cpu.service");
    BOOST_TEST(unit_of_cgroup("/system.slice/__own.service") == "_own.service");
}

BOOST_AUTO_TEST_CASE(the_unified_hierarchy_counts_where_it_names_something) {
    BOOST_TEST(cgroup_path("0::/system.slice/etl.service\n") == "/system.slice/etl.service");
    BOOST_TEST(cgroup_path("1:name=systemd:/a\n0::/system.slice/etl.service\n") == "/system.slice/etl.service");
}

BOOST_AUTO_TEST_CASE(on_a_hybrid_host_the_named_hierarchy_counts) {
    BOOST_TEST(cgroup_path("9:name=systemd:/system.slice/etl.service\n4:memory:/x\n0::/\n") ==
               "/system.slice/etl.service");
    BOOST_TEST(cgroup_path("9:name=systemd:/system.slice/a:b.service\n") == "/system.slice/a:b.service");
    BOOST_TEST(cgroup_path("4:memory:/system.slice/etl.service\n0::/\n").empty());
    BOOST_TEST(cgroup_path("").empty());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::attestation
