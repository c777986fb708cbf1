#define BOOST_TEST_DYN_LINK
#include "support/oauth/oidc_server.hpp"

#include <boost/test/unit_test.hpp>

using namespace credlease::tests;

BOOST_AUTO_TEST_CASE(the_real_server_runs_and_a_person_sees_its_pages) {
    std::filesystem::path ca;
    {
        const OidcServer server;
        ca = server.ca_file();
        BOOST_TEST(std::filesystem::exists(ca));
        BOOST_TEST(server.client_id("web") == "broker-web");
        BOOST_TEST(!server.client_secret("service").empty());
        const auto page = browse(server.origin() + "/auth?client_id=nobody");
        BOOST_TEST(page.text.find("invalid_client") != std::string::npos, page.text);
        BOOST_TEST(page.url.starts_with(server.origin()));
        BOOST_TEST(server.events("authorization.error").size() == 1U);
    }
    BOOST_TEST(!std::filesystem::exists(ca));
}
