#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"

#include <boost/test/unit_test.hpp>

using namespace credlease;
using namespace credlease::tests;

namespace {

std::string text_of(const boost::json::value& item) {
    if (item.is_string()) return std::string(item.as_string());
    if (const auto* seq = item.as_object().if_contains("seq")) return std::to_string(seq->to_number<int>());
    return std::string(item.at("id").as_string());
}

/// A list's items, a page at a time.
std::vector<std::string> walk(Client& client, const std::string& path, const std::string& limit) {
    std::vector<std::string> found;
    std::string query = "?limit=" + limit;
    for (int pages = 0; pages < 100; ++pages) {
        const auto page = ask(client, "GET", path + query);
        BOOST_REQUIRE_EQUAL(page.status, 200U);
        for (const auto& item : page.json.at("items").as_array()) found.push_back(text_of(item));
        const auto& next = page.json.at("next_cursor");
        if (next.is_null()) return found;
        query = "?limit=" + limit + "&cursor=" + std::string(next.as_string());
    }
    return found;
}

} // namespace

BOOST_AUTO_TEST_CASE(every_list_comes_in_pages_that_repeat_and_skip_nothing) {
    Daemon daemon;
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto id = store_token(client, "one", "tok_0a1b2c3d4e5f6071");
    (void)store_token(client, "two", "tok_0a1b2c3d4e5f6071");
    (void)store_token(client, "three", "tok_0a1b2c3d4e5f6071");
    for (const std::string name : {"a", "b", "c"}) {
        (void)mint(client, id);
        const auto made = ask(client, "PUT", "/v1/workspaces/" + name);
        BOOST_TEST(made.status == 201U);
        BOOST_TEST(ask(client, "PUT", "/v1/workspaces/" + name).status == 200U); // it is there already
        const auto member = "/v1/workspaces/a/members/user:local%2F" + name;
        BOOST_REQUIRE(ask(client, "PUT", member, R"({"role":"member"})").status < 300U);
    }
    for (const std::string path :
         {"/v1/credentials", "/v1/grants", "/v1/workspaces", "/v1/users", "/v1/services", "/v1/audit"}) {
        const auto all = walk(client, path, "500");
        BOOST_TEST(all.size() >= 3U, path);
        BOOST_TEST((walk(client, path, "1") == all), path);
        BOOST_TEST((walk(client, path, "2") == all), path);
        for (const std::string wrong : {"?limit=0", "?limit=501", "?limit=x", "?cursor=x", "?unknown=1"}) {
            BOOST_TEST(ask(client, "GET", path + wrong).code == "invalid_request", path + wrong);
        }
    }
}
