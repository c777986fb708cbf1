#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"
#include "support/socket_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

using namespace credlease;
using namespace credlease::tests;

namespace {

constexpr auto token = "tok_2f7a91c0d3b8e456";
constexpr auto basic = R"({"service":"http-basic","name":"pair","fields":{"username":"u","password":"pw-77aa51c2"}})";

std::string worker_rule(const std::string& more = {}) {
    return "[[worker]]\nname = \"etl\"\nuid = 0\nworkspace = \"default\"\n" + more + "\n";
}

boost::json::object json_of(const std::optional<test::Response>& response) {
    BOOST_REQUIRE(response.has_value());
    return boost::json::parse(response->body).as_object();
}

std::string code_of(const std::optional<test::Response>& response) {
    const auto json = json_of(response);
    return json.contains("code") ? std::string(json.at("code").as_string()) : std::to_string(response->status);
}

std::string lease_of(const boost::json::object& issued) { return std::string(issued.at("lease").as_string()); }

void reload(Daemon& daemon, const std::string& config, std::size_t times) {
    daemon.write_config(config);
    daemon.signal(SIGHUP);
    BOOST_REQUIRE(daemon.wait_for_log("Reloaded", times));
}

/// An entry of the operator's own with two fields in this order.
void write_entry(const Daemon& daemon, const std::string& first, const std::string& second) {
    const auto folder = daemon.config_folder() / "services.d";
    std::filesystem::create_directories(folder);
    const auto field = [](const std::string& name) {
        return R"({"name":")" + name + R"(","label":")" + name + R"(","type":"string","secret":true})";
    };
    std::ofstream(folder / "two-keys.json")
        << R"({"id":"two-keys","name":"Two keys","auth":[{"name":"keys","label":"Keys",)"
        << R"("fields":[)" << field(first) << ',' << field(second) << "]}]}";
}

} // namespace

BOOST_AUTO_TEST_CASE(an_idempotency_key_gives_one_user_of_an_engine_nothing_of_another) {
    const auto config = "[[engine]]\nname = \"flows\"\nuid = 0\nworkspaces = [\"*\"]\nmax_role = \"admin\"\n";
    Daemon daemon({.config = config});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    test::SocketClient engine(daemon.admin_socket());
    const std::string alice = "Credlease-Actor: user:alice\r\nIdempotency-Key: once\r\n";
    const std::string bob = "Credlease-Actor: user:bob\r\nIdempotency-Key: once\r\n";
    const auto stored = engine.ask("POST", "/v1/credentials",
                                   R"({"service":"http-bearer","name":"own","scope":{"kind":"personal"},)"
                                   R"("fields":{"token":"tok_alice_11223344"}})",
                                   "Credlease-Actor: user:alice\r\n");
    BOOST_REQUIRE(stored && stored->status == 201U);
    constexpr auto wanted = R"({"credential":"own","bind":"none"})";
    const auto first = json_of(engine.ask("POST", "/v1/leases", wanted, alice));
    BOOST_TEST(code_of(engine.ask("POST", "/v1/leases", wanted, bob)) == "credential_not_found");
    const auto again = [&] {
        test::SocketClient after(daemon.admin_socket());
        BOOST_TEST(boost::json::serialize(json_of(after.ask("POST", "/v1/leases", wanted, alice))) ==
                   boost::json::serialize(first));
        BOOST_TEST(code_of(after.ask("POST", "/v1/leases", wanted, bob)) == "credential_not_found");
    };
    again();
    daemon.kill9();
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    again();
}

BOOST_AUTO_TEST_CASE(a_key_that_is_sent_again_gives_nothing_that_may_no_longer_be_leased) {
    Daemon daemon({.config = worker_rule()});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto id = store_token(client, "kept", token);
    test::SocketClient worker(daemon.lease_socket());
    const auto again = [&] {
        return worker.ask("POST", "/v1/leases", R"({"credential":"kept","bind":"none"})", "Idempotency-Key: k\r\n");
    };
    BOOST_TEST(again()->status == 201U);
    const auto expire = ask(client, "PATCH", "/v1/credentials/" + id, R"({"expires_at":"2020-01-01T00:00:00Z"})");
    BOOST_REQUIRE_EQUAL(expire.status, 200U);
    BOOST_TEST(code_of(again()) == "lease_ended"); // the edit ended it
}

BOOST_AUTO_TEST_CASE(a_key_gives_a_lease_of_one_process_to_no_other) {
    Daemon daemon({.config = worker_rule()});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    (void)store_token(client, "bound", token);
    const auto ask_for_it = [&] {
        test::SocketClient worker(daemon.lease_socket());
        return worker.ask("POST", "/v1/leases", R"({"credential":"bound"})", "Idempotency-Key: k\r\n");
    };
    BOOST_TEST(ask_for_it()->status == 201U);
    BOOST_TEST(ask_for_it()->status == 201U);
    const auto refused = as_uid(0, [&] {
        const auto answer = ask_for_it();
        return answer && answer->status == 409U && answer->body.contains("idempotency_mismatch") &&
                       answer->body.contains("another process") && !answer->body.contains(token)
                   ? 0
                   : 1;
    });
    BOOST_TEST(refused == 0);
}

BOOST_AUTO_TEST_CASE(a_renewal_gives_no_field_that_the_rule_has_taken_away) {
    Daemon daemon({.config = worker_rule()});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    BOOST_REQUIRE_EQUAL(ask(client, "POST", "/v1/credentials", basic).status, 201U);
    const std::string key = "Idempotency-Key: k\r\n";
    constexpr auto wanted = R"({"credential":"pair","bind":"none"})";
    test::SocketClient before(daemon.lease_socket());
    const auto issued = json_of(before.ask("POST", "/v1/leases", wanted, key));
    BOOST_TEST(issued.at("secret").as_object().contains("password"));
    BOOST_REQUIRE(daemon.stop() == 0);
    daemon.write_config(worker_rule("fields = [\"username\"]"));
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());

    test::SocketClient worker(daemon.lease_socket());
    const auto redelivered = json_of(worker.ask("POST", "/v1/leases", wanted, key));
    BOOST_TEST(lease_of(redelivered) == lease_of(issued));
    BOOST_TEST(!boost::json::serialize(redelivered).contains("pw-77aa51c2"));
    const auto path = "/v1/leases/" + lease_of(issued) + "/renew";
    const auto renewed = json_of(worker.ask("POST", path, R"({"secret":true})"));
    BOOST_TEST(renewed.at("fields").as_object().contains("username"));
    BOOST_TEST(renewed.at("secret").as_object().empty());
    BOOST_TEST(!renewed.contains("http"));
}

BOOST_AUTO_TEST_CASE(a_lease_of_one_field_never_gives_another_that_the_catalog_puts_in_its_place) {
    Daemon daemon({.config = worker_rule()});
    write_entry(daemon, "low", "high");
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto stored = ask(client, "POST", "/v1/credentials",
                            R"({"service":"two-keys","name":"two","fields":{"low":"low-1111","high":"high-2222"}})");
    BOOST_REQUIRE_EQUAL(stored.status, 201U);
    test::SocketClient worker(daemon.lease_socket());
    const auto issued =
        json_of(worker.ask("POST", "/v1/leases", R"({"credential":"two","fields":["low"],"bind":"none"})"));
    const auto path = "/v1/leases/" + lease_of(issued) + "/renew";
    const auto same = json_of(worker.ask("POST", path, R"({"secret":true})"));
    BOOST_TEST(boost::json::serialize(same.at("secret")) == R"({"low":"low-1111"})");

    write_entry(daemon, "high", "low");
    reload(daemon, worker_rule(), 1);
    const auto other = json_of(worker.ask("POST", path, R"({"secret":true})"));
    BOOST_TEST(other.at("code").as_string() == "lease_ended");
    BOOST_TEST(other.at("reason").as_string() == "scope_changed");
    BOOST_TEST(ask(client, "GET", "/v1/leases").json.at("items").as_array().empty());
}
