#define BOOST_TEST_DYN_LINK
#include "outbound/http_date.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::outbound {
namespace {

std::int64_t seconds_of(std::string_view text) {
    const auto date = read_http_date(text);
    return date ? date->time_since_epoch().count() : -1;
}

BOOST_AUTO_TEST_SUITE(http_dates)

BOOST_AUTO_TEST_CASE(all_three_forms_are_read) {
    BOOST_TEST(seconds_of("Sun, 06 Nov 1994 08:49:37 GMT") == 784'111'777);
    BOOST_TEST(seconds_of("Sunday, 06-Nov-94 08:49:37 GMT") == 784'111'777);
    BOOST_TEST(seconds_of("Sun Nov  6 08:49:37 1994") == 784'111'777);
    BOOST_TEST(seconds_of("Wed Nov 16 08:49:37 1994") == 784'975'777);
    BOOST_TEST(seconds_of("Thu, 29 Feb 2024 23:59:59 GMT") == 1'709'251'199);
    BOOST_TEST(seconds_of("Friday, 01-Jan-27 00:00:00 GMT") == 1'798'761'600);
}

BOOST_AUTO_TEST_CASE(anything_else_is_none) {
    for (const char* each :
         {"", "Sun", ",", "120", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
          "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
          "Sun, 06 Nox 1994 08:49:37 GMT", "Sun, 06 ovD 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
          "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov", "Sun Nov", "Sun, 06-Nov-9",
          "Sun Nov  6 08:49:37 1994 GMT", "Thu, 29 Feb 2023 00:00:00 GMT"})
        BOOST_TEST(seconds_of(each) == -1, each);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::outbound
