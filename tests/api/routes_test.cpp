#define BOOST_TEST_DYN_LINK
#include "broker_stand_in.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

namespace {

using namespace credlease;
using api::Door;
using test::BrokerStandIn;

struct Fixture {
    BrokerStandIn broker;

    unsigned status(Door door, std::string_view method, std::string_view target) {
        auto client = broker.connect(door);
        return client.ask(method, target)->status;
    }
};

BOOST_FIXTURE_TEST_SUITE(routes, Fixture)

BOOST_AUTO_TEST_CASE(an_unknown_path_is_not_found) {
    for (const auto* target : {"/", "/v1", "/v1/", "/v1/status/", "/v1//status", "/v1/echo/a/of", "/v1/echo//of/x",
                               "/v1/echo/a/of/x/y", "/v2/status", "/v1/STATUS", "/v1/echo/"}) {
        BOOST_TEST(status(Door::admin, "GET", target) == 404U, target);
    }
    auto client = broker.connect();
    const auto response = client.ask("GET", "/nothing");
    const auto problem = boost::json::parse(response->body);
    BOOST_TEST((problem.at("code").as_string() == "not_found"));
    BOOST_TEST((problem.at("request_id").as_string() == response->header("credlease-request-id")));
    BOOST_TEST(response->header("content-type") == "application/problem+json");
    BOOST_TEST(client.ask("GET", "/v1/status")->status == 200U);
}

BOOST_AUTO_TEST_CASE(an_unknown_method_is_told_which_are_known) {
    auto client = broker.connect();
    for (const auto* method : {"PUT", "OPTIONS", "TRACE", "FROB"}) {
        const auto response = client.ask(method, "/v1/echo");
        BOOST_TEST(response->status == 405U);
        BOOST_TEST(response->header("allow") == "POST, GET, DELETE");
        BOOST_TEST(response->body.find("method_not_allowed") != std::string::npos);
    }
    BOOST_TEST(client.ask("GET", "/v1/echo/1")->header("allow") == "PATCH");
}

BOOST_AUTO_TEST_CASE(what_is_for_admin_only_does_not_exist_on_the_lease_socket) {
    BOOST_TEST(status(Door::admin, "PATCH", "/v1/echo/1") == 201U);
    BOOST_TEST(status(Door::lease, "PATCH", "/v1/echo/1") == 404U);
    BOOST_TEST(status(Door::lease, "GET", "/v1/echo/1") == 404U);
    auto client = broker.connect(Door::lease);
    const auto response = client.ask("GET", "/v1/leases");
    BOOST_TEST(response->status == 405U);
    BOOST_TEST(response->header("allow") == "POST");
}

BOOST_AUTO_TEST_CASE(sealed_only_marked_routes_answer) {
    broker.is_sealed = true;
    BOOST_TEST(status(Door::lease, "GET", "/v1/status") == 200U);
    auto client = broker.connect(Door::lease);
    const auto response = client.ask("POST", "/v1/leases", "{}");
    BOOST_TEST(response->status == 503U);
    BOOST_TEST(response->body.find("\"code\":\"sealed\"") != std::string::npos);
    BOOST_TEST(client.ask("GET", "/nothing")->status == 404U);
    broker.is_sealed = false;
    BOOST_TEST(client.ask("POST", "/v1/leases", "{}")->status == 201U);
}

BOOST_AUTO_TEST_CASE(a_part_that_is_badly_encoded_matches_nothing) {
    BOOST_TEST(status(Door::admin, "PATCH", "/v1/echo/%FF") == 404U);
    BOOST_TEST(status(Door::admin, "PATCH", "/v1/echo/%ff") == 400U);
    BOOST_TEST(status(Door::admin, "PATCH", "/v1/echo/%C3%A9") == 201U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
