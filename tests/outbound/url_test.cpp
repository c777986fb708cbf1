#define BOOST_TEST_DYN_LINK
#include "outbound/url.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::outbound {
namespace {

/// "tls host port authority target"
std::string parts_of(std::string_view text) {
    const auto url = read_url(text);
    if (!url) return std::string(name_of(url.error().code));
    return (url->is_tls ? "tls " : "plain ") + url->host + " " + std::to_string(url->port) + " " + url->authority +
           " " + url->target;
}

BOOST_AUTO_TEST_SUITE(urls)

BOOST_AUTO_TEST_CASE(a_url_is_taken_apart) {
    BOOST_TEST(parts_of("https://Idp.Example/oauth/token?a=b&c=%20d") ==
               "tls idp.example 443 idp.example /oauth/token?a=b&c=%20d");
    BOOST_TEST(parts_of("HTTPS://idp.example") == "tls idp.example 443 idp.example /");
    BOOST_TEST(parts_of("https://idp.example?x=1") == "tls idp.example 443 idp.example /?x=1");
    BOOST_TEST(parts_of("https://idp.example:443/t") == "tls idp.example 443 idp.example /t");
    BOOST_TEST(parts_of("https://idp.example:8443/t") == "tls idp.example 8443 idp.example:8443 /t");
    BOOST_TEST(parts_of("http://127.0.0.1:80/t") == "plain 127.0.0.1 80 127.0.0.1 /t");
    BOOST_TEST(parts_of("http://[::1]:7466/t") == "plain ::1 7466 [::1]:7466 /t");
    BOOST_TEST(parts_of("https://[2001:DB8::1]/") == "tls 2001:db8::1 443 [2001:db8::1] /");
}

BOOST_AUTO_TEST_CASE(what_is_no_destination_is_refused) {
    for (const char* each : {"",
                             "idp.example",
                             "//idp.example/",
                             "ftp://idp.example/",
                             "https://",
                             "https:///t",
                             "https://:443/",
                             "https://user@idp.example/",
                             "https://user:password@idp.example/",
                             "https://idp.example/#fragment",
                             "https://idp.example/a b",
                             "https://idp.example/\r\nX: y",
                             "https://idp.example/\xc3\xa4",
                             "https://\xc3\xa4.example/",
                             "https://idp.example:0/",
                             "https://idp.example:65536/",
                             "https://idp.example:/",
                             "https://idp.example:44x/",
                             "https://[::1/",
                             "https://[::1]x/",
                             "https://[]/",
                             "https://idp.example./",
                             "https://.idp.example/",
                             "https://idp..example/",
                             "https://idp.example\\@evil.example/",
                             "https://idp%2eexample/"})
        BOOST_TEST(parts_of(each) == "invalid_request", each);
}

BOOST_AUTO_TEST_CASE(a_refusal_shows_nothing_of_a_password) {
    BOOST_TEST(!read_url("https://user:password@idp.example/").error().detail().contains("password"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::outbound
