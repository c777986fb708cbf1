#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"
#include "support/oauth/oidc_server.hpp"
#include "support/page_client.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

using namespace credlease;
using namespace credlease::tests;
using boost::json::object;

namespace {

std::string text(const boost::json::value& object, std::string_view member) {
    return std::string(object.at(member).as_string());
}

/// A broker beside an authorization server that this project did not write, and a person in Chromium.
struct BrowserHouse {
    std::string callback = "127.0.0.1:" + std::to_string(test::free_port());
    OidcServer server{{.redirect_uri = "http://" + callback + "/oauth/callback"}};
    Daemon daemon{{.config = "[outbound]\nallowed_hosts = [\"127.0.0.1\"]\nca_file = \"" + server.ca_file().string() +
                             "\"\ncallback = \"" + callback + "\"\n"}};
    Client client = client_of(daemon);

    BrowserHouse() { BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log()); }

    [[nodiscard]] Answered begin(const std::string& name) {
        const object fields = {{"issuer", server.origin()},
                               {"client_id", server.client_id("web")},
                               {"client_secret", server.client_secret("web")},
                               {"client_auth", "basic"},
                               {"scopes", boost::json::array{"openid", "offline_access"}}};
        const object body = {{"service", "oauth2"}, {"name", name}, {"fields", fields}};
        auto begun = ask(client, "POST", "/v1/oauth/authorizations", boost::json::serialize(body));
        BOOST_REQUIRE_MESSAGE(begun.status == 201U, boost::json::serialize(begun.json));
        return begun;
    }
    [[nodiscard]] std::string state_of(const Answered& begun) {
        return text(ask(client, "GET", "/v1/oauth/authorizations/" + text(begun.json, "id")).json, "state");
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(oidc_browser)

BOOST_AUTO_TEST_CASE(a_person_signs_in_and_consents_and_the_callback_page_says_connected) {
    BrowserHouse house;
    const auto begun = house.begin("hers");
    const auto page = browse(text(begun.json, "start_url"));
    BOOST_TEST((page.steps == std::vector<std::string>{"sign in", "consent"}));
    BOOST_TEST(page.title.starts_with("Connected"), page.title);
    BOOST_TEST(page.text.find("“hers”") != std::string::npos, page.text);
    // Code and state are out of the address, and so of the history: the page's own script may run, and did.
    BOOST_TEST(page.url == "http://" + house.callback + "/oauth/callback");
    BOOST_TEST(house.state_of(begun) == "connected");
    auto lease = house.client.lease({.credential = "hers"});
    BOOST_REQUIRE(lease.ok());
    BOOST_TEST(!secret_of(*lease, "access_token").empty());
    BOOST_TEST(house.server.events("grant.success").size() == 1U);
    BOOST_TEST(house.server.events("grant.error").empty());
}

BOOST_AUTO_TEST_CASE(a_person_who_says_no_reads_so) {
    BrowserHouse house;
    const auto begun = house.begin("hers");
    const auto page = browse(text(begun.json, "start_url"), {.says_no = true});
    BOOST_TEST(page.title.starts_with("Not connected"), page.title);
    BOOST_TEST(page.text.find("End-User aborted interaction") != std::string::npos, page.text);
    BOOST_TEST(house.state_of(begun) == "failed");
}

BOOST_AUTO_TEST_CASE(who_goes_past_the_start_page_is_told_to_paste_the_address) {
    BrowserHouse house;
    const auto begun = house.begin("hers");
    const auto page = browse(text(begun.json, "authorize_url"));
    BOOST_TEST(page.title.starts_with("Not in this browser"), page.title);
    BOOST_TEST(page.text.find("paste it there") != std::string::npos, page.text);
    BOOST_TEST(house.state_of(begun) == "pending");
    const auto place = "/v1/oauth/authorizations/" + text(begun.json, "id") + "/complete";
    const auto done = ask(house.client, "POST", place, boost::json::serialize(object{{"redirect_url", page.url}}));
    BOOST_TEST(text(done.json, "state") == "connected");
}

BOOST_AUTO_TEST_SUITE_END()
