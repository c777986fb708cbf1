#define BOOST_TEST_DYN_LINK
#include "api/rates.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::api {
namespace {

using namespace std::chrono_literals;

constexpr runtime::BootTime start{1h};

BOOST_AUTO_TEST_SUITE(rates)

BOOST_AUTO_TEST_CASE(a_seconds_worth_goes_at_once_then_one_by_one) {
    Rates rates;
    for (int i = 0; i < 4; ++i) BOOST_TEST(!rates.must_wait("etl", 4, start).has_value());
    BOOST_TEST(rates.must_wait("etl", 4, start).value_or(0) == 1U);
    BOOST_TEST(rates.must_wait("etl", 4, start + 249ms).value_or(0) == 1U);
    BOOST_TEST(!rates.must_wait("etl", 4, start + 250ms).has_value()); // a refusal costs nothing
    BOOST_TEST(rates.must_wait("etl", 4, start + 250ms).has_value());
}

BOOST_AUTO_TEST_CASE(each_caller_has_its_own_measure_and_zero_means_none) {
    Rates rates;
    BOOST_TEST(!rates.must_wait("one", 1, start).has_value());
    BOOST_TEST(rates.must_wait("one", 1, start).has_value());
    BOOST_TEST(!rates.must_wait("two", 1, start).has_value());
    for (int i = 0; i < 100; ++i) BOOST_TEST(!rates.must_wait("one", 0, start).has_value());
}

BOOST_AUTO_TEST_CASE(who_is_in_debt_is_not_forgotten_when_many_others_come) {
    Rates rates;
    BOOST_TEST(!rates.must_wait("one", 1, start + 10s).has_value());
    for (int i = 0; i < 10'000; ++i) BOOST_TEST(!rates.must_wait(std::to_string(i), 1, start + 10s).has_value());
    BOOST_TEST(rates.must_wait("one", 1, start + 10s).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::api
