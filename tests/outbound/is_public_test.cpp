#define BOOST_TEST_DYN_LINK
#include "outbound/is_public.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace credlease::outbound {
namespace {

bool is_public_text(const std::string& text) { return is_public(boost::asio::ip::make_address(text)); }

BOOST_AUTO_TEST_SUITE(addresses)

BOOST_AUTO_TEST_CASE(an_address_of_the_world_is_public) {
    for (
        const char* each :
        {"1.1.1.1",         "8.8.8.8",         "9.255.255.255",   "11.0.0.0",     "100.63.255.255",       "100.128.0.0",
         "126.255.255.255", "128.0.0.0",       "169.253.255.255", "169.255.0.0",  "172.15.255.255",       "172.32.0.0",
         "192.0.1.0",       "192.0.3.0",       "192.88.98.255",   "192.88.100.0", "192.167.255.255",      "192.169.0.0",
         "198.17.255.255",  "198.20.0.0",      "198.51.99.255",   "198.51.101.0", "203.0.112.255",        "203.0.114.0",
         "223.255.255.255", "2606:4700::1111", "2000::1",         "2001:200::1",  "2001:4860:4860::8888", "2003::1",
         "2a00:1450::1",    "3ffe:ffff::1",    "3fff:1000::1"})
        BOOST_TEST(is_public_text(each), each);
}

BOOST_AUTO_TEST_CASE(an_address_of_this_host_or_its_networks_or_of_no_one_is_not) {
    for (const char* each : {"0.0.0.0",      "0.255.255.255",
                             "10.0.0.0",     "10.255.255.255",
                             "100.64.0.0",   "100.127.255.255",
                             "127.0.0.1",    "127.255.255.255",
                             "169.254.0.0",  "169.254.169.254",
                             "172.16.0.0",   "172.31.255.255",
                             "192.0.0.1",    "192.0.0.255",
                             "192.0.2.1",    "192.88.99.1",
                             "192.168.0.0",  "192.168.255.255",
                             "198.18.0.0",   "198.19.255.255",
                             "198.51.100.1", "203.0.113.255",
                             "224.0.0.1",    "239.255.255.255",
                             "240.0.0.0",    "255.255.255.255",
                             "::",           "::1",
                             "::2",          "fc00::1",
                             "fdff::1",      "fe80::1",
                             "fe80::1%1",    "febf::1",
                             "fec0::1",      "ff02::1",
                             "ff0e::1",      "100::1",
                             "2001::1",      "2001:2::1",
                             "2001:10::1",   "2001:20::1",
                             "2001:1ff::1",  "2001:db8::1",
                             "3fff::1",      "3fff:fff::1",
                             "4000::1",      "5f00::1",
                             "1fff::1",      "64:ff9b:1::808:808"})
        BOOST_TEST(!is_public_text(each), each);
}

BOOST_AUTO_TEST_CASE(an_address_that_carries_another_is_what_that_one_is) {
    for (const char* each : {"::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"})
        BOOST_TEST(is_public_text(each), each);
    for (const char* each :
         {"::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:169.254.169.254", "::127.0.0.1", "::8.8.8.8",
          "64:ff9b::127.0.0.1", "64:ff9b::192.168.1.1", "2002:7f00:1::", "2002:a01:203::", "2002:a9fe:a9fe::1"})
        BOOST_TEST(!is_public_text(each), each);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::outbound
