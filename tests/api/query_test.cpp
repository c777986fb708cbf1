#define BOOST_TEST_DYN_LINK
#include "api/request.hpp"

#include <boost/test/unit_test.hpp>

namespace {

using namespace credlease;
using api::Query;

BOOST_AUTO_TEST_SUITE(query)

BOOST_AUTO_TEST_CASE(a_query_gives_its_parameters_decoded) {
    const auto query = Query::read("q=a%26b&service=x&service=y&&empty=&bare",
                                   {{"q"}, {"service", true}, {"empty"}, {"bare"}, {"absent"}});
    BOOST_REQUIRE(query.has_value());
    BOOST_TEST((query->find("q") == "a&b"));
    BOOST_TEST((query->all("service") == std::vector<std::string>{"x", "y"}));
    BOOST_TEST((query->find("empty") == ""));
    BOOST_TEST((query->find("bare") == ""));
    BOOST_TEST(!query->find("absent").has_value());
    BOOST_TEST(Query::read("", {}).has_value());
}

BOOST_AUTO_TEST_CASE(unknown_repeated_and_badly_encoded_parameters_are_named) {
    const auto field = [](std::string_view text) {
        const auto query = Query::read(text, {{"q"}, {"limit"}});
        return query.has_value() ? std::string("none") : query.error().field.text();
    };
    BOOST_TEST(field("q=1&offset=2") == "offset");
    BOOST_TEST(field("limit=1&q=2&limit=1") == "limit");
    BOOST_TEST(field("q=%F") == "query");
    BOOST_TEST(field("%71=1") == "none");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
