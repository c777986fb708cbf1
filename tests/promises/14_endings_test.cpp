#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"
#include "support/socket_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <fstream>
#include <unistd.h>

using namespace credlease;
using namespace credlease::tests;
using test::SocketClient;

namespace {

constexpr auto token = "tok_ending_0c52f9ab71";
constexpr auto wanted = R"({"credential":"held","bind":"none"})";
constexpr auto operators = "[access]\noperators = [\"root\"]\n";
constexpr auto rule = "[[worker]]\nname = \"etl\"\nuid = 0\nworkspace = \"default\"\n";
constexpr auto engine = "[[engine]]\nname = \"flows\"\nuid = 0\nworkspaces = [\"*\"]\nmax_role = \"editor\"\n";

/// A broker that has leased a credential to whoever the headers say: the lease must end at once, and not be renewed.
struct Held {
    Daemon daemon{{.config = std::string(operators) + rule + engine}};
    std::string id;
    std::string lease;   ///< its path
    std::string headers; ///< of its holder
    bool is_at_admin_socket = false;

    Held() {
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
        auto client = client_of(daemon);
        id = store_token(client, "held", token);
    }
    [[nodiscard]] std::optional<test::Response> as_holder(const std::string& path, const std::string& body) const {
        SocketClient holder(is_at_admin_socket ? daemon.admin_socket() : daemon.lease_socket());
        return holder.ask("POST", path, body, headers);
    }
    void take() {
        const auto issued = as_holder("/v1/leases", wanted);
        BOOST_REQUIRE(issued && issued->status == 201U);
        lease = "/v1/leases/" + std::string(boost::json::parse(issued->body).at("lease").as_string());
        BOOST_REQUIRE(as_holder(lease + "/renew", "{}")->status == 200U);
    }
    unsigned operate(const std::string& method, const std::string& path, const std::string& body = {}) const {
        auto client = client_of(daemon);
        return ask(client, method, path, body).status;
    }
    /// Why it ended, as an operator is told; "live".
    [[nodiscard]] std::string reason() const {
        SocketClient admin(daemon.admin_socket());
        const auto shown = boost::json::parse(admin.ask("GET", lease)->body).as_object();
        return shown.contains("reason") ? std::string(shown.at("reason").as_string()) : "live";
    }
    void has_ended(const std::string& why) const {
        BOOST_TEST(reason() == why);
        auto client = client_of(daemon);
        BOOST_TEST(ask(client, "GET", "/v1/leases").json.at("items").as_array().empty());
        const auto renewed = as_holder(lease + "/renew", R"({"secret":true})");
        BOOST_REQUIRE(renewed.has_value());
        BOOST_TEST(renewed->status >= 400U);
        BOOST_TEST(!renewed->body.contains(token));
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(endings, Held)

BOOST_AUTO_TEST_CASE(a_revoke_ends_leases_at_once) {
    take();
    BOOST_REQUIRE_EQUAL(operate("POST", "/v1/credentials/" + id + "/revoke"), 200U);
    has_ended("credential_revoked");
    BOOST_REQUIRE_EQUAL(operate("POST", "/v1/credentials/" + id + "/restore"), 200U);
    has_ended("credential_revoked"); // a restore brings none back
}

BOOST_AUTO_TEST_CASE(a_delete_ends_leases_at_once) {
    take();
    BOOST_REQUIRE_EQUAL(operate("DELETE", "/v1/credentials/" + id), 204U);
    has_ended("credential_deleted");
}

BOOST_AUTO_TEST_CASE(a_seal_ends_leases_at_once) {
    take();
    BOOST_REQUIRE_EQUAL(operate("POST", "/v1/seal"), 200U);
    BOOST_TEST(as_holder(lease + "/renew", "{}")->status == 503U);
    BOOST_REQUIRE_EQUAL(operate("POST", "/v1/unseal"), 200U);
    has_ended("sealed");
}

BOOST_AUTO_TEST_CASE(another_scope_ends_leases_at_once) {
    take();
    BOOST_REQUIRE_EQUAL(operate("PUT", "/v1/workspaces/acme"), 201U);
    BOOST_REQUIRE_EQUAL(
        operate("PATCH", "/v1/credentials/" + id, R"({"scope":{"kind":"workspace","workspace":"acme"}})"), 200U);
    has_ended("scope_changed");
}

BOOST_AUTO_TEST_CASE(a_member_that_is_removed_loses_its_leases_at_once) {
    const auto member = "/v1/workspaces/default/members/user:flows%2Falice";
    BOOST_REQUIRE(operate("PUT", member, R"({"role":"member"})") < 300U);
    headers = "Credlease-Actor: user:alice\r\n";
    is_at_admin_socket = true;
    take();
    BOOST_REQUIRE_EQUAL(operate("DELETE", member), 204U);
    has_ended("scope_changed");
}

BOOST_AUTO_TEST_CASE(a_rule_that_a_reload_removes_takes_its_leases_along) {
    take();
    daemon.write_config(std::string(operators) + "[[worker]]\nname = \"other\"\nuid = 1234\n");
    daemon.signal(SIGHUP);
    BOOST_REQUIRE(daemon.wait_for_log("Reloaded"));
    has_ended("scope_changed");
}

BOOST_AUTO_TEST_CASE(a_grant_that_is_withdrawn_takes_its_leases_along) {
    auto client = client_of(daemon);
    headers = "Authorization: Bearer " + mint(client, id) + "\r\n";
    take();
    const auto grants = ask(client, "GET", "/v1/grants").json.at("items").as_array();
    BOOST_REQUIRE_EQUAL(grants.size(), 1U);
    BOOST_REQUIRE_EQUAL(operate("DELETE", "/v1/grants/" + std::string(grants[0].at("id").as_string())), 204U);
    has_ended("grant_ended");
}

BOOST_AUTO_TEST_CASE(a_lease_ends_when_its_holder_exits) {
    const auto path = daemon.root() / "lease";
    const auto exited = as_uid(0, [&] {
        auto worker = client_of(daemon);
        auto held = worker.lease({.credential = "held"});
        if (!held) return 1;
        held->keep();
        return std::ofstream(path) << "/v1/leases/" << held->id() ? 0 : 1;
    });
    BOOST_REQUIRE_EQUAL(exited, 0);
    std::ifstream(path) >> lease;
    for (int i = 0; i < 1000 && reason() == "live"; ++i) ::usleep(10000);
    has_ended("holder_exited");
}

BOOST_AUTO_TEST_SUITE_END()
