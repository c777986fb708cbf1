#define BOOST_TEST_DYN_LINK
#include "http/target.hpp"

#include <boost/test/unit_test.hpp>

namespace {

using namespace credlease;
using http::percent_decoded;
using http::read_target;

BOOST_AUTO_TEST_SUITE(target)

BOOST_AUTO_TEST_CASE(a_target_is_split_at_its_first_question_mark) {
    const auto target = read_target("/v1/x?a=1?b");
    BOOST_REQUIRE(target.has_value());
    BOOST_TEST(target->path == "/v1/x");
    BOOST_TEST(target->query == "a=1?b");
    BOOST_TEST(read_target("/")->query.empty());
}

BOOST_AUTO_TEST_CASE(one_resource_has_one_spelling) {
    for (const auto* target : {"/v1/a%20b", "/v1/a%2Fb", "/v1/%C3%A9", "/v1/user:flows@x", "/~x/a.b/..a/a..", "//"}) {
        BOOST_TEST(read_target(target).has_value(), target);
    }
    for (const auto* target :
         {"",        "v1",        "*",        "credlease:80", "/v1/%61", "/v1/%2e%2e/x", "/v1/%2E",
          "/v1/%7E", "/v1/a%2fb", "/v1/%",    "/v1/%4",       "/v1/%zz", "/v1/%00",      "/v1/%0A",
          "/v1/%7F", "/v1/../x",  "/v1/..",   "/./x",         "/..",     "/v1/\xc3\xa9", "/v1/a b",
          "/v1/x#y", "/v1/\"x\"", "/v1/{id}", "/v1\\x",       "/x?a b",  "/x?a#b",       "/x?\xff"}) {
        BOOST_TEST(!read_target(target).has_value(), target);
    }
}

BOOST_AUTO_TEST_CASE(an_absolute_target_of_http_is_its_path_whomever_it_names) {
    for (const auto* begin :
         {"http://credlease", "HTTP://x:80", "http://[::1]:8080", "http://a%20b", "http://-._~!$&'()*+,;="}) {
        const std::string text = std::string(begin) + "/v1/x?a=1/2";
        const auto target = read_target(text);
        BOOST_REQUIRE_MESSAGE(target.has_value(), begin);
        BOOST_TEST(target->path == "/v1/x");
        BOOST_TEST(target->query == "a=1/2");
    }
    for (const auto* target : {"https://credlease/v1/x",
                               "unix://credlease/v1/x",
                               "http:///v1/x",
                               "http://:80/v1/x",
                               "http://u@credlease/v1/x",
                               "http://u:p@credlease/v1/x",
                               "http://credlease",
                               "http://credlease?q",
                               "http:/v1/x",
                               "http:v1/x",
                               "//credlease/v1 x",
                               "http://a b/v1/x",
                               "http://a\\b/v1/x",
                               "http://\xff/v1/x",
                               "http://x/../v1",
                               "http://x/v1/%61",
                               "http://x#/v1",
                               "http://x/http://y/../z",
                               "http",
                               "http://"}) {
        BOOST_TEST(!read_target(target).has_value(), target);
    }
}

BOOST_AUTO_TEST_CASE(decoding_gives_clean_utf_8_or_nothing) {
    BOOST_TEST((percent_decoded("a%20b%2F%c3%A9+") == "a b/\xc3\xa9+"));
    for (const auto* text : {"%", "%4", "%4g", "%g4", "%FF", "%C3", "%00", "a%00b"}) {
        BOOST_TEST(!percent_decoded(text).has_value(), text);
    }
}

BOOST_AUTO_TEST_CASE(what_a_browser_leaves_as_it_is_in_a_query_is_taken_from_one) {
    const auto target = read_target("/oauth/callback?code=4/0|[x]{y}^`\\&state=s", http::Queries::visible);
    BOOST_REQUIRE(target.has_value());
    BOOST_TEST(target->query == "code=4/0|[x]{y}^`\\&state=s");
    for (const auto* text : {"/x?a b", "/x?\x7f", "/x?\xc3\xa9", "/x y?a", "/x|y?a"}) {
        BOOST_TEST(!read_target(text, http::Queries::visible).has_value(), text);
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
